-- segment/images.sql: the images $2 as run $1 pinned them, with their names and the components of their SBOMs.
SELECT image.digest, image.repository, image.tags, sbom.components
FROM unnest($2::bytea[]) AS wanted (digest)
JOIN image ON image.digest = wanted.digest
JOIN run_input ON run_input.tenant_id = image.tenant_id AND run_input.run_id = $1 AND run_input.kind = 'image'
    AND run_input.source = '' AND run_input.subject = 'sha256:' || encode(image.digest, 'hex')
JOIN sbom ON sbom.tenant_id = run_input.tenant_id AND sbom.digest = run_input.digest
ORDER BY image.digest
