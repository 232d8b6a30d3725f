-- image/find.sql: the image with digest $1, whether or not it has left the fleet.
SELECT image_no, repository, tags, namespace, used_by_entrypoint, sbom_digest, removed_at IS NOT NULL AS removed
FROM image WHERE digest = $1
