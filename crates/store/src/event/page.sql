-- event/page.sql: up to $3 events after the place ($1, $2), in commit order; never past a transaction still open.
SELECT txid::text, event_id, kind, occurred_at, run_id, job_id, attempt, reason FROM event
WHERE (txid, event_id) > ($1::text::xid8, $2::uuid) AND txid < pg_snapshot_xmin(pg_current_snapshot())
-- Of the table: an output column of that name is text, and sorts 10 before 9.
ORDER BY event.txid, event.event_id LIMIT $3
