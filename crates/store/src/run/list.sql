-- run/list.sql: run $1 (NULL: any) up to but not including run $2, newest first, at most $3.
SELECT run_id, trigger, state, project_id, correlation_id, jobs_total, jobs_succeeded, jobs_failed, jobs_canceled,
    jobs_skipped, attempts, leases_expired, created_at, started_at, finished_at, started_at IS NOT NULL AS started
FROM run WHERE ($1::uuid IS NULL OR run_id = $1) AND run_id < $2
ORDER BY run_id DESC LIMIT $3
