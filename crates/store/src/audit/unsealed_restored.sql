-- audit/unsealed_restored.sql: up to $1 audit rows without a seal, in the order of time, where the database was restored
-- from a dump. A transaction of the time before has a number that is not given out yet, and had ended. No row that waits
-- is older than an hour before the last seal: no transaction may stay open for so long.
SELECT txid::text, audit_id, occurred_at, subject, credential, operation, scope, object_kind, object_id, before_digest,
    after_digest, reason, ticket, request_id, correlation_id, source FROM audit
WHERE audit_id >= (SELECT uuid_floor(sealed_at - interval '1 hour') FROM audit_checkpoint ORDER BY first DESC LIMIT 1)
  AND (txid < pg_snapshot_xmin(pg_current_snapshot()) OR txid >= pg_snapshot_xmax(pg_current_snapshot()))
  -- Row by row: as a join it would read every seal there is.
  AND (SELECT seal.sequence FROM audit_seal seal
       WHERE seal.tenant_id = audit.tenant_id AND seal.audit_id = audit.audit_id LIMIT 1) IS NULL
ORDER BY audit.audit_id LIMIT $1
