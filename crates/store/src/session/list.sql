-- session/list.sql: worker sessions after $1 with what they hold, at most $2.
SELECT session_id, worker, lease_until, slots,
    (SELECT count(*) FROM lease WHERE lease.session_id = worker_session.session_id) AS leases
FROM worker_session WHERE session_id > $1 ORDER BY session_id LIMIT $2
