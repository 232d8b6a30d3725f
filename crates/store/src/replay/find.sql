-- replay/find.sql: what a replay of the jobs $1 repeats, in the order of their ids; only of those that have ended.
SELECT job.job_id, job.job_type, job.payload, job.max_attempts, job.max_crashes, job.correlation_id, job.project_id,
    job.source, job.tags, job.traceparent, outcome.state
FROM job JOIN outcome ON outcome.tenant_id = job.tenant_id AND outcome.job_id = job.job_id
WHERE job.job_id = ANY ($1) ORDER BY job.job_id
