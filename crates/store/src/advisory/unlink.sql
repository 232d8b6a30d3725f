-- advisory/unlink.sql: forgets which packages and flaws the advisories $2 of source $1 speak of.
WITH packages AS (DELETE FROM advisory_package WHERE source_id = $1 AND advisory_id = ANY ($2))
DELETE FROM advisory_flaw WHERE source_id = $1 AND advisory_id = ANY ($2)
