-- impact_index/named.sql: the images with the digests $1 and the components of their SBOMs.
SELECT image_no, image.digest, sbom.components
FROM image JOIN sbom ON sbom.tenant_id = image.tenant_id AND sbom.digest = image.sbom_digest
WHERE image.digest = ANY ($1) AND removed_at IS NULL
