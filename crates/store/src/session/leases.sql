-- session/leases.sql: what the sessions $1 hold.
SELECT session_id, job_id, fence, token_hash, granted_at, started_at IS NOT NULL AS started FROM lease WHERE session_id = ANY ($1) ORDER BY job_id
