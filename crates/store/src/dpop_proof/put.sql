-- dpop_proof/put.sql: notes proof $3 of tenant $1 in slot $2; no row when it was seen before.
INSERT INTO dpop_proof (tenant_id, slot, proof) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
