-- source/list.sql: sources after the one called $1, at most $2: of kind $3, paused or not $4 (NULL: any).
SELECT source_id, name, kind, url, description, enabled, version, paused_at, pause_reason, created_at
FROM source
WHERE name > $1 AND ($3::text IS NULL OR kind = $3) AND ($4::boolean IS NULL OR (paused_at IS NOT NULL) = $4)
ORDER BY name LIMIT $2
