-- image/list.sql: images of the fleet after number $2, at most $3: with digest $1, in repository $4, in namespace $5,
-- made of SBOM $6, carrying package $7, of the numbers $8 (NULL: any).
SELECT image_no, image.digest, repository, tags, namespace, used_by_entrypoint, sbom_digest, evaluated_sbom, image.created_at,
    changed_at, sbom.format, cardinality(sbom.components) AS components
FROM image JOIN sbom ON sbom.tenant_id = image.tenant_id AND sbom.digest = image.sbom_digest
WHERE image_no > $2 AND removed_at IS NULL
    AND ($1::bytea IS NULL OR image.digest = $1)
    AND ($4::text IS NULL OR repository = $4)
    AND ($5::text IS NULL OR namespace = $5)
    AND ($6::bytea IS NULL OR sbom_digest = $6)
    AND ($7::text IS NULL OR sbom.components && ARRAY(SELECT component_no FROM component WHERE package_key = $7))
    AND ($8::bigint[] IS NULL OR image_no = ANY ($8))
ORDER BY image_no LIMIT $3
