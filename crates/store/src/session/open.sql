-- session/open.sql: session $2 of tenant $1, worker $3, opened by $4, is alive at $6 for $5 ms; only its own principal may say so.
INSERT INTO worker_session (tenant_id, session_id, worker, subject, lease_ms, lease_until, created_at)
VALUES ($1, $2, $3, $4, $5, $6::timestamptz + $5::integer * interval '1 millisecond', $6)
ON CONFLICT (tenant_id, session_id) DO UPDATE
SET lease_until = greatest(worker_session.lease_until, excluded.lease_until)
WHERE worker_session.subject = excluded.subject
