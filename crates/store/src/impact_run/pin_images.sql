-- impact_run/pin_images.sql: the images with the digests $1 and the SBOMs they are made of now.
SELECT digest, sbom_digest FROM image WHERE digest = ANY ($1) ORDER BY digest
