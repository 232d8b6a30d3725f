-- vex/put.sql: VEX document $3 of source $2 of tenant $1 stands as document $4.
INSERT INTO vex (tenant_id, source_id, document_id, digest) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, source_id, document_id) DO UPDATE SET digest = excluded.digest
