-- image/put.sql: image $3 of tenant $1, number $2 when it is new, in repository $4 with tag $5, namespace $6,
-- used by the entrypoint $7, made of SBOM $8, at $9. What is not said again stays; one that had left is back.
INSERT INTO image (tenant_id, image_no, digest, repository, tags, namespace, used_by_entrypoint, sbom_digest, created_at,
    changed_at)
VALUES ($1, $2, $3, coalesce($4, ''), array_remove(ARRAY[$5::text], NULL), coalesce($6, ''), $7, $8, $9, $9)
ON CONFLICT (tenant_id, digest) DO UPDATE SET
    repository = coalesce($4, image.repository),
    tags = ARRAY(SELECT DISTINCT tag FROM unnest(image.tags || array_remove(ARRAY[$5::text], NULL)) AS tag ORDER BY tag),
    namespace = coalesce($6, image.namespace),
    used_by_entrypoint = coalesce($7, image.used_by_entrypoint),
    sbom_digest = $8,
    removed_at = NULL,
    changed_at = $9
