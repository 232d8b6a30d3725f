-- session/idle.sql: those of the sessions $1 that hold nothing.
SELECT session_id FROM unnest($1::uuid[]) AS asked (session_id)
WHERE NOT EXISTS (SELECT FROM lease WHERE lease.session_id = asked.session_id)
