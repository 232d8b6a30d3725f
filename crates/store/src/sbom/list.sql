-- sbom/list.sql: SBOMs after the one with digest $1, at most $2; the one with digest $3 only (NULL: all).
SELECT sbom.digest, format, cardinality(components) AS components, created_at,
    (SELECT count(*) FROM image WHERE image.tenant_id = sbom.tenant_id AND image.sbom_digest = sbom.digest
        AND removed_at IS NULL) AS images
FROM sbom WHERE sbom.digest > $1 AND ($3::bytea IS NULL OR sbom.digest = $3)
ORDER BY sbom.digest LIMIT $2
