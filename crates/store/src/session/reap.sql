-- session/reap.sql: up to $2 jobs held by sessions whose time was over at $1, and whether their workers had begun them: one
-- that had begun another job had not begun this one. Those that had not begun come first, so that what is left for the next
-- pass still says so. The session row is locked, so that a heartbeat waits for the verdict instead of racing it; its
-- leases are not, so that each is told with its fence.
SELECT session.session_id, held.job_id, held.fence, held.started_at IS NOT NULL OR NOT session.any_begun AS begun
FROM (
    SELECT over.session_id,
        coalesce((SELECT bool_or(lease.started_at IS NOT NULL) FROM lease WHERE lease.session_id = over.session_id), false) AS any_begun
    FROM (SELECT session_id FROM worker_session WHERE lease_until < $1 ORDER BY session_id LIMIT $2 FOR UPDATE SKIP LOCKED) over
) session
LEFT JOIN LATERAL (
    SELECT job_id, fence, started_at FROM lease WHERE lease.session_id = session.session_id
    ORDER BY started_at NULLS FIRST, job_id LIMIT $2
) held ON true
ORDER BY held.started_at NULLS FIRST, held.job_id
LIMIT $2
