-- vex/current.sql: the VEX documents that stand now.
SELECT source_id, location, document_id, digest FROM vex ORDER BY source_id, location
