-- run_plan/retried.sql: what a retry of run $1 repeats of its jobs, in the order of their ids.
SELECT job_id, job_key, job_type, priority, payload, max_attempts, max_crashes, correlation_id, project_id, source, tags,
    traceparent
FROM job WHERE run_id = $1 AND job_id = ANY ($2) ORDER BY job_id
