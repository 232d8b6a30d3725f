-- session/idle.sql: those of the sessions $1 that hold nothing.
SELECT session_id FROM unnest($1::uuid[]) AS asked (session_id)
-- One by one: as a join it would read all leases.
WHERE (SELECT lease.job_id FROM lease WHERE lease.session_id = asked.session_id LIMIT 1) IS NULL
