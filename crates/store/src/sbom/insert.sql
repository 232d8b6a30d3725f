-- sbom/insert.sql: SBOM $2 of tenant $1 in format $3 lists the components $4; stored at $5, once.
INSERT INTO sbom (tenant_id, digest, format, components, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, digest) DO NOTHING
