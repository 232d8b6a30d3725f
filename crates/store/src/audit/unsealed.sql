-- audit/unsealed.sql: up to $3 audit rows after the place ($1, $2), in commit order; never past a transaction still open.
-- What has a seal already is of a time before a restore from a dump, with numbers that come a second time.
SELECT txid::text, audit_id, occurred_at, subject, credential, operation, scope, object_kind, object_id, before_digest,
    after_digest, reason, ticket, request_id, correlation_id, source FROM audit
WHERE (txid, audit_id) > ($1::text::xid8, $2::uuid) AND txid < pg_snapshot_xmin(pg_current_snapshot())
  -- Row by row: as a join it would read every seal there is.
  AND (SELECT seal.sequence FROM audit_seal seal
       WHERE seal.tenant_id = audit.tenant_id AND seal.audit_id = audit.audit_id LIMIT 1) IS NULL
-- Of the table: an output column of that name is text, and sorts 10 before 9.
ORDER BY audit.txid, audit.audit_id LIMIT $3
