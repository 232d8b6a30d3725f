-- vex/current.sql: the VEX documents that stand now (source $1 and id $2; NULL: all).
SELECT source_id, document_id, digest FROM vex
WHERE ($1::uuid IS NULL OR source_id = $1) AND ($2::text IS NULL OR document_id = $2)
ORDER BY source_id, document_id
