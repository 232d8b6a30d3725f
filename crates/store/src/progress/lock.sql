-- progress/lock.sql: the leases of the jobs $1, locked in the order of their ids.
SELECT job_id, fence, token_hash, attempt, run_id, started_at IS NOT NULL AS started
FROM lease WHERE job_id = ANY ($1) ORDER BY job_id FOR NO KEY UPDATE
