-- completion/workers.sql: who ran the jobs of run $1: every attempt that ended, in order.
SELECT job.job_key, ended.attempt, ended.cause, ended.session_id FROM job JOIN LATERAL (
    SELECT attempt, cause, session_id, fence FROM attempt WHERE attempt.tenant_id = job.tenant_id AND attempt.job_id = job.job_id
    UNION ALL
    SELECT attempt, state, session_id, fence FROM outcome
    WHERE outcome.tenant_id = job.tenant_id AND outcome.job_id = job.job_id AND fence IS NOT NULL
) ended ON true
WHERE job.run_id = $1 ORDER BY job.job_key, ended.fence
