-- refusal/dropped.sql: $2 more records of source $1 are not listed; when $3, they are all that are not.
UPDATE source SET refusals_dropped = CASE WHEN $3 THEN $2 ELSE refusals_dropped + $2 END
WHERE source_id = $1 AND refusals_dropped <> CASE WHEN $3 THEN $2 ELSE refusals_dropped + $2 END
