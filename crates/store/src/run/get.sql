-- run/get.sql: run $1.
SELECT run_id, trigger, state, project_id, source, correlation_id, jobs_total, jobs_succeeded, jobs_failed, jobs_canceled,
    jobs_skipped, attempts, leases_expired, created_at, started_at, finished_at, started_at IS NOT NULL AS started
FROM run WHERE run_id = $1
