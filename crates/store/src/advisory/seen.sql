-- advisory/seen.sql: the advisories of source $1 with the ids $2 that stand now, for who only looks.
SELECT digest FROM advisory WHERE source_id = $1 AND advisory_id = ANY ($2)
