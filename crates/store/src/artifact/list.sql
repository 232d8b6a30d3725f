-- artifact/list.sql: the artifacts of job $1 by attempt and name, without their bytes; whether they count.
SELECT artifact.name, artifact.fence, artifact.media_type, artifact.digest, octet_length(artifact.body) AS bytes,
    artifact.created_at, coalesce(outcome.state = 'succeeded' AND outcome.fence = artifact.fence, false) AS accepted
FROM artifact
LEFT JOIN outcome ON outcome.tenant_id = artifact.tenant_id AND outcome.job_id = artifact.job_id
WHERE artifact.job_id = $1 ORDER BY artifact.fence, artifact.name LIMIT $2
