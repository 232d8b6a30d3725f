-- session/leases.sql: what session $1 holds.
SELECT job_id, fence, token_hash, granted_at FROM lease WHERE session_id = $1 ORDER BY job_id
