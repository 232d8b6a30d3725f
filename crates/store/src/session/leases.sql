-- session/leases.sql: what the sessions $1 hold.
SELECT session_id, job_id, fence, token_hash, granted_at FROM lease WHERE session_id = ANY ($1) ORDER BY job_id
