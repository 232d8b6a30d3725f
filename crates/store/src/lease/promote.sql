-- lease/promote.sql: jobs of type $1 whose time has come at $2 move from delayed to ready, at most $3 of them.
WITH due AS MATERIALIZED (
    SELECT job_id FROM delayed WHERE job_type = $1 AND ready_at <= $2
    ORDER BY ready_at, job_id LIMIT $3 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM delayed USING due WHERE delayed.job_id = due.job_id RETURNING delayed.*
)
INSERT INTO ready (tenant_id, job_type, sort_key, job_id, run_id, attempts, crashes, max_attempts, max_crashes,
    deadline, has_children)
SELECT tenant_id, job_type, sort_key, job_id, run_id, attempts, crashes, max_attempts, max_crashes, deadline, has_children
FROM gone
RETURNING sort_key
