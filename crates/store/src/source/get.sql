-- source/get.sql: the source with id $1.
SELECT source_id, name, kind, url, description, enabled, version, paused_at, pause_reason, created_at
FROM source WHERE source_id = $1
