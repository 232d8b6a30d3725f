-- advisory/current.sql: the advisories of source $1 that stand now (NULL: those with the ids $2 only).
SELECT advisory_id, digest FROM advisory WHERE source_id = $1 AND ($2::text[] IS NULL OR advisory_id = ANY ($2))
FOR UPDATE
