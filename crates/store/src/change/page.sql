-- change/page.sql: up to $3 changes after the place ($1, $2), in commit order. It never passes a transaction that is
-- still open: what commits late is seen later, not skipped.
SELECT txid::text, change_id, kind, source_id, subject, before, after, traceparent, created_at
FROM change
WHERE (txid, change_id) > ($1::text::xid8, $2::uuid) AND txid < pg_snapshot_xmin(pg_current_snapshot())
-- Of the table: an output column of that name is text, and sorts 10 before 9.
ORDER BY change.txid, change.change_id LIMIT $3
