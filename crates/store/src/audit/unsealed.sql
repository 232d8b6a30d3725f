-- audit/unsealed.sql: up to $3 audit rows after the place ($1, $2), in commit order; never past a transaction still open.
SELECT txid::text, audit_id, occurred_at, subject, credential, operation, scope, object_kind, object_id, before_digest,
    after_digest, reason, ticket, request_id, correlation_id, source FROM audit
WHERE (txid, audit_id) > ($1::text::xid8, $2::uuid) AND txid < pg_snapshot_xmin(pg_current_snapshot())
-- Of the table: an output column of that name is text, and sorts 10 before 9.
ORDER BY audit.txid, audit.audit_id LIMIT $3
