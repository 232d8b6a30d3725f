-- run/unended.sql: the jobs of run $1 that have not ended.
SELECT job.job_id FROM job
LEFT JOIN outcome ON outcome.tenant_id = job.tenant_id AND outcome.job_id = job.job_id
WHERE job.run_id = $1 AND outcome.job_id IS NULL ORDER BY job.job_id
