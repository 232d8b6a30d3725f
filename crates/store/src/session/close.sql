-- session/close.sql: removes the sessions $1 that were over at $2 and hold nothing any more.
DELETE FROM worker_session
WHERE session_id = ANY ($1) AND lease_until < $2
  -- One by one: as a join it would read all leases.
  AND (SELECT lease.job_id FROM lease WHERE lease.session_id = worker_session.session_id LIMIT 1) IS NULL
