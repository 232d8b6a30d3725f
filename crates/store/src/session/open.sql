-- session/open.sql: the sessions $2 of tenant $1, of workers $3 opened by $4, are alive at $6 for $5 ms; only the
-- principal that opened a session may say so; they do $7 jobs at once. One element of each array a session; returns those
-- that are, and which of them may hold a lease that no heartbeat has held for the time of one: a claim says nothing of leases; and which
-- hold a job that was granted alone.
INSERT INTO worker_session (tenant_id, session_id, worker, subject, lease_ms, lease_until, slots, created_at)
SELECT DISTINCT ON (t.session_id) $1::uuid, t.session_id, t.worker, t.subject, $5::integer,
    $6::timestamptz + $5::integer * interval '1 millisecond', t.slots, $6
FROM unnest($2::uuid[], $3::text[], $4::text[], $7::integer[]) AS t (session_id, worker, subject, slots)
ORDER BY t.session_id, t.subject
ON CONFLICT (tenant_id, session_id) DO UPDATE
SET lease_until = greatest(worker_session.lease_until, excluded.lease_until), slots = excluded.slots
WHERE worker_session.subject = excluded.subject
RETURNING session_id, subject,
    coalesce(heard_at, created_at) < $6::timestamptz - lease_ms * interval '1 millisecond'
        AND (SELECT lease.job_id FROM lease WHERE lease.session_id = worker_session.session_id LIMIT 1) IS NOT NULL AS unheard,
    (SELECT lease.job_id FROM lease WHERE lease.session_id = worker_session.session_id
        AND crashes > 0 AND (crashes + 1 >= max_crashes OR attempt >= max_attempts) LIMIT 1) IS NOT NULL AS alone
