-- artifact/get.sql: the artifact called $2 of job $1: that of the attempt that was accepted, or else of the last one.
SELECT artifact.media_type, artifact.digest, artifact.body FROM artifact
LEFT JOIN outcome ON outcome.tenant_id = artifact.tenant_id AND outcome.job_id = artifact.job_id
WHERE artifact.job_id = $1 AND artifact.name = $2
ORDER BY coalesce(outcome.state = 'succeeded' AND outcome.fence = artifact.fence, false) DESC, artifact.fence DESC LIMIT 1
