-- session/extend.sql: the heartbeats of the sessions $1 by $2 at $3; one write a session for all its leases. One element
-- of each array a session, locked in the order of their ids.
WITH held AS MATERIALIZED (
    SELECT worker_session.session_id FROM worker_session
    JOIN unnest($1::uuid[], $2::text[]) AS t (session_id, subject)
        ON worker_session.session_id = t.session_id AND worker_session.subject = t.subject
    ORDER BY worker_session.session_id FOR UPDATE OF worker_session
)
UPDATE worker_session SET lease_until = $3::timestamptz + lease_ms * interval '1 millisecond', heard_at = $3
FROM held WHERE worker_session.session_id = held.session_id
RETURNING worker_session.session_id, worker_session.subject, worker_session.lease_ms
