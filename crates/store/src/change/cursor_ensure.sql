-- change/cursor_ensure.sql: reader $2 of tenant $1 has a place in the change stream.
INSERT INTO change_cursor (tenant_id, stream) VALUES ($1, $2) ON CONFLICT DO NOTHING
