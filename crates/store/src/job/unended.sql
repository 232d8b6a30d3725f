-- job/unended.sql: those of the jobs $1 that have not ended.
SELECT job.job_id FROM job
LEFT JOIN outcome ON outcome.tenant_id = job.tenant_id AND outcome.job_id = job.job_id
WHERE job.job_id = ANY ($1) AND outcome.job_id IS NULL
