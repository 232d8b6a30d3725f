-- vex/insert.sql: at location $3 of source $2 of tenant $1 stands VEX document $4 with the content $5, if nothing did.
INSERT INTO vex (tenant_id, source_id, location, document_id, digest) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, source_id, location) DO NOTHING
