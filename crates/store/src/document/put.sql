-- document/put.sql: stores documents of tenant $1 and kind $2 by digest $3, each version once, at $5.
INSERT INTO document (tenant_id, digest, kind, body, created_at)
SELECT $1, t.digest, $2, t.body, $5 FROM unnest($3::bytea[], $4::bytea[]) AS t (digest, body)
ON CONFLICT (tenant_id, digest) DO NOTHING
