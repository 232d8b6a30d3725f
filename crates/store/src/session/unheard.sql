-- session/unheard.sql: what the sessions $1 were granted a lease ago or more before $2, while no heartbeat held it since:
-- the answer to its claim was lost, or its worker does not know of it any more. And whether it had begun it: one that had
-- begun another job had not begun this one.
SELECT lease.job_id, lease.fence, lease.started_at IS NOT NULL OR NOT coalesce((
        SELECT bool_or(other.started_at IS NOT NULL) FROM lease other
        WHERE other.session_id = worker_session.session_id), false) AS begun
FROM worker_session
CROSS JOIN LATERAL (SELECT * FROM lease WHERE lease.session_id = worker_session.session_id) lease
WHERE worker_session.session_id = ANY ($1)
  AND greatest(lease.granted_at, worker_session.heard_at) < $2::timestamptz - lease_ms * interval '1 millisecond'
ORDER BY lease.job_id
