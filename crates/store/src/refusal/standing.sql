-- refusal/standing.sql: the refusals of source $1 and kind $2 that stand; at most REFUSALS_MAX.
SELECT record, named, last_seen_at FROM refusal WHERE source_id = $1 AND kind = $2 ORDER BY record FOR UPDATE
