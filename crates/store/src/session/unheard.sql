-- session/unheard.sql: what the sessions $1 were granted a lease ago or more before $2, while no heartbeat held it since:
-- the answer to its claim was lost, or its worker does not know of it any more.
SELECT lease.job_id, lease.fence FROM worker_session
JOIN lease ON lease.session_id = worker_session.session_id
WHERE worker_session.session_id = ANY ($1)
  AND greatest(lease.granted_at, worker_session.heard_at) < $2::timestamptz - lease_ms * interval '1 millisecond'
ORDER BY lease.job_id
