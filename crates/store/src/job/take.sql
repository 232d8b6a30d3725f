-- job/take.sql: takes the jobs $1 out of the tables in which a job waits, to be canceled or timed out.
WITH w AS (DELETE FROM waiting WHERE job_id = ANY ($1) RETURNING *),
r AS (DELETE FROM ready WHERE job_id = ANY ($1) RETURNING *),
d AS (DELETE FROM delayed WHERE job_id = ANY ($1) RETURNING *),
h AS (DELETE FROM held WHERE job_id = ANY ($1) RETURNING *)
SELECT job_id, run_id, job_type, sort_key, max_attempts, max_crashes, deadline, has_children, since,
    true AS blocked, NULL::timestamptz AS ready_at, 0 AS attempts, 0 AS crashes FROM w
UNION ALL
SELECT job_id, run_id, job_type, sort_key, max_attempts, max_crashes, deadline, has_children, since, false, NULL,
    attempts, crashes FROM r
UNION ALL
SELECT job_id, run_id, job_type, sort_key, max_attempts, max_crashes, deadline, has_children, since, false, ready_at,
    attempts, crashes FROM d
UNION ALL
SELECT job_id, run_id, job_type, sort_key, max_attempts, max_crashes, deadline, has_children, since, false, NULL,
    attempts, crashes FROM h
ORDER BY job_id
