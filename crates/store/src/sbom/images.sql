-- sbom/images.sql: images (digest $1, NULL: any) after image number $2, at most $3.
SELECT image_no, image.digest, repository, tags, namespace, used_by_entrypoint, sbom_digest, evaluated_sbom, image.created_at,
    changed_at, sbom.format, cardinality(sbom.components) AS components
FROM image JOIN sbom ON sbom.tenant_id = image.tenant_id AND sbom.digest = image.sbom_digest
WHERE ($1::bytea IS NULL OR image.digest = $1) AND image_no > $2
ORDER BY image_no LIMIT $3
