-- impact_index/load.sql: up to $2 images after number $1 with the components of their SBOMs.
SELECT image_no, image.digest, sbom.components
FROM image JOIN sbom ON sbom.tenant_id = image.tenant_id AND sbom.digest = image.sbom_digest
WHERE image_no > $1 AND removed_at IS NULL ORDER BY image_no LIMIT $2
