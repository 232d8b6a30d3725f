-- run/first_grant.sql: the first job of run $1, in the order of ids, of which an attempt was granted at $2, when the run started.
SELECT job.job_id, job.job_type FROM job
WHERE job.run_id = $1
  AND (EXISTS (SELECT FROM lease WHERE lease.tenant_id = job.tenant_id AND lease.job_id = job.job_id AND granted_at = $2)
    OR EXISTS (SELECT FROM attempt WHERE attempt.tenant_id = job.tenant_id AND attempt.job_id = job.job_id AND granted_at = $2)
    OR EXISTS (SELECT FROM outcome WHERE outcome.tenant_id = job.tenant_id AND outcome.job_id = job.job_id AND granted_at = $2))
ORDER BY job.job_id LIMIT 1
