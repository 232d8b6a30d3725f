-- session/extend.sql: the heartbeat of session $1 by $2 at $3; one write for all its leases.
UPDATE worker_session SET lease_until = $3::timestamptz + lease_ms * interval '1 millisecond'
WHERE session_id = $1 AND subject = $2
RETURNING lease_ms
