-- event/artifacts.sql: what the attempts at the jobs $1 under the fences $2 of tenant $3 made, by name, at most $4 of each.
SELECT ended.job_id, ended.fence, made.name, made.digest, made.media_type
FROM unnest($1::uuid[], $2::bigint[]) AS ended (job_id, fence)
CROSS JOIN LATERAL (
    SELECT name, digest, media_type FROM artifact
    WHERE artifact.tenant_id = $3 AND artifact.job_id = ended.job_id AND artifact.fence = ended.fence
    ORDER BY name LIMIT $4
) made
ORDER BY ended.job_id, ended.fence, made.name
