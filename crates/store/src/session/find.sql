-- session/find.sql: the worker session $1.
SELECT session_id, worker, subject, lease_until, slots, created_at, heard_at,
    (SELECT count(*) FROM lease WHERE lease.session_id = worker_session.session_id) AS leases
FROM worker_session WHERE session_id = $1
