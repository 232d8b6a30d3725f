-- advisory/remove.sql: the advisories $2 of source $1 no longer stand.
DELETE FROM advisory WHERE source_id = $1 AND advisory_id = ANY ($2)
