-- standing/parents.sql: parents of job $1 that have not ended, by name, at most $2.
SELECT job.job_id, job.job_key FROM edge
JOIN job ON job.tenant_id = edge.tenant_id AND job.job_id = edge.parent_id
LEFT JOIN outcome ON outcome.tenant_id = edge.tenant_id AND outcome.job_id = edge.parent_id
WHERE edge.child_id = $1 AND outcome.job_id IS NULL ORDER BY job.job_key, job.job_id LIMIT $2
