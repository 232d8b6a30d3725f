-- source/update.sql: source $1, when it still is version $2, becomes of kind $3, at url $4 on host $5, described as $6,
-- enabled or not $7.
UPDATE source SET kind = $3, url = $4, host = $5, description = $6, enabled = $7, version = version + 1
WHERE source_id = $1 AND version = $2
