-- hold/release.sql: up to $2 of the jobs that are held for the source called $1 are ready again, in their old order.
WITH due AS MATERIALIZED (
    SELECT job_id FROM held WHERE source = $1 ORDER BY sort_key, job_id LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM held USING due WHERE held.job_id = due.job_id RETURNING held.*
)
INSERT INTO ready (tenant_id, job_type, sort_key, job_id, run_id, attempts, crashes, max_attempts, max_crashes,
    deadline, has_children, since)
SELECT tenant_id, job_type, sort_key, job_id, run_id, attempts, crashes, max_attempts, max_crashes, deadline, has_children,
    since
FROM gone
RETURNING job_type, sort_key
