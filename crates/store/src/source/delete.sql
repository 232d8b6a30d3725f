-- source/delete.sql: source $1, when it still is version $2 and holds nothing; what it held may not be looked at yet.
DELETE FROM source
WHERE source_id = $1 AND version = $2
    AND (NOT holds OR (paused_at IS NULL AND NOT EXISTS (SELECT FROM held WHERE held.source = source.name)))
