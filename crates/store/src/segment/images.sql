-- segment/images.sql: the images $2 as run $1 pinned them, with their names and the components of their SBOMs. Looked up one
-- by one: joined, the planner would read all inputs of the run, or all images, for the few of a segment.
SELECT image.digest, image.repository, image.tags, sbom.names, sbom.components
FROM unnest($2::bytea[]) AS wanted (digest)
CROSS JOIN LATERAL (SELECT digest, repository, tags FROM image WHERE image.digest = wanted.digest LIMIT 1) image
CROSS JOIN LATERAL (
    SELECT run_input.digest FROM run_input
    WHERE run_input.run_id = $1 AND run_input.kind = 'image' AND run_input.source = ''
        AND run_input.subject = 'sha256:' || encode(image.digest, 'hex') LIMIT 1
) pinned
CROSS JOIN LATERAL (SELECT names, components FROM sbom WHERE sbom.digest = pinned.digest LIMIT 1) sbom
ORDER BY image.digest
