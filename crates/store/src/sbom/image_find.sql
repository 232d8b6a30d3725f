-- sbom/image_find.sql: the image with digest $1.
SELECT image_no, repository, tags, namespace, used_by_entrypoint, sbom_digest FROM image WHERE digest = $1
