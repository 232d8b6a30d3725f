-- change/cursor_get.sql: how far reader $2 of tenant $1 has come; makes the place when it is new.
WITH made AS (INSERT INTO change_cursor (tenant_id, stream) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING txid, change_id)
SELECT txid::text, change_id FROM made UNION ALL SELECT txid::text, change_id FROM change_cursor WHERE stream = $2 LIMIT 1
