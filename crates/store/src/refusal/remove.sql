-- refusal/remove.sql: the refusals of the records $3 of source $1 and kind $2 no longer stand.
DELETE FROM refusal WHERE source_id = $1 AND kind = $2 AND record = ANY ($3)
