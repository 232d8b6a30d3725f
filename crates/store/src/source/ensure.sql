-- source/ensure.sql: tenant $1 has a source called $3; when it had none, with id $2, made at $4.
INSERT INTO source (tenant_id, source_id, name, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id, name) DO NOTHING
