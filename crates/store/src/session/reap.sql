-- session/reap.sql: up to $2 jobs held by sessions whose time was over at $1. The session row is locked, so that a
-- heartbeat waits for the verdict instead of racing it; its leases are not, so that each is told with its fence.
SELECT session.session_id, lease.job_id, lease.fence
FROM (SELECT session_id FROM worker_session WHERE lease_until < $1 ORDER BY session_id LIMIT $2 FOR UPDATE SKIP LOCKED) session
LEFT JOIN lease USING (session_id)
ORDER BY lease.job_id
LIMIT $2
