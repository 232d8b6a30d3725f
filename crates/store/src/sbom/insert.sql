-- sbom/insert.sql: SBOM $2 of tenant $1 in format $3 lists the components $4 and calls its image $6; stored at $5, once. One
-- from before its names were kept gets them.
INSERT INTO sbom (tenant_id, digest, format, components, created_at, names) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant_id, digest) DO UPDATE SET names = excluded.names WHERE sbom.names <> excluded.names
