-- run/first_end.sql: the job of run $1 that ended first: of a run that never started.
SELECT job.job_id, job.job_type, outcome.ended_at, outcome.state FROM job
JOIN outcome ON outcome.tenant_id = job.tenant_id AND outcome.job_id = job.job_id
WHERE job.run_id = $1 ORDER BY outcome.ended_at, job.job_id LIMIT 1
