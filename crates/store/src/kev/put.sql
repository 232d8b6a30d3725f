-- kev/put.sql: the catalogue of tenant $1 is document $2 from $3 on.
INSERT INTO kev (tenant_id, digest, changed_at) VALUES ($1, $2, $3)
ON CONFLICT (tenant_id) DO UPDATE SET digest = excluded.digest, changed_at = excluded.changed_at
