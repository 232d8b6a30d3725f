-- lease/lock.sql: the leases of the jobs $1, locked in the order of their ids.
SELECT job_id, fence, token_hash, session_id, granted_at, job_type, sort_key, run_id, attempt, crashes,
    max_attempts, max_crashes, deadline, has_children, started_at, since
FROM lease WHERE job_id = ANY ($1) ORDER BY job_id FOR UPDATE
