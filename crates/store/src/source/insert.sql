-- source/insert.sql: source $2 of tenant $1 called $3, of kind $4, at url $5 on host $6, described as $7, enabled or not
-- $8, made at $9; none when the name is taken.
INSERT INTO source (tenant_id, source_id, name, kind, url, host, description, enabled, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (tenant_id, name) DO NOTHING
