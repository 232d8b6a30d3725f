-- event/artifacts.sql: what the attempts at the jobs $1 under the fences $2 made, by name.
SELECT artifact.job_id, artifact.fence, name, digest, media_type
FROM unnest($1::uuid[], $2::bigint[]) AS ended (job_id, fence)
JOIN artifact ON artifact.job_id = ended.job_id AND artifact.fence = ended.fence
ORDER BY artifact.job_id, artifact.fence, name
