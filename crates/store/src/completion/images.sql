-- completion/images.sql: the images of run $1 with their numbers, the SBOM they were evaluated from before and the one
-- the run pinned.
SELECT image.image_no, image.digest, image.repository, image.evaluated_sbom, run_input.digest AS pinned_sbom,
    image.removed_at IS NOT NULL AS removed
FROM run_input
JOIN image ON image.tenant_id = run_input.tenant_id AND image.digest = decode(substr(run_input.subject, 8), 'hex')
WHERE run_input.run_id = $1 AND run_input.kind = 'image'
ORDER BY image.digest
