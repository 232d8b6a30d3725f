-- audit/list.sql: up to $8 audit rows, the newest first; of subject $1, operation $2, object kind $3 and id
-- $4, from $5 until before $6, below the id $7: each of them only if it is not NULL.
SELECT seal.sequence, seal.hash, audit.audit_id, occurred_at, subject, credential, operation, scope, object_kind,
    object_id, before_digest, after_digest, reason, ticket, request_id, correlation_id, source
FROM audit LEFT JOIN audit_seal seal ON seal.tenant_id = audit.tenant_id AND seal.audit_id = audit.audit_id
WHERE ($1::text IS NULL OR subject = $1)
  AND ($2::text IS NULL OR operation = $2)
  AND ($3::text IS NULL OR object_kind = $3)
  AND ($4::text IS NULL OR object_id = $4)
  AND ($5::timestamptz IS NULL OR occurred_at >= $5)
  AND ($6::timestamptz IS NULL OR occurred_at < $6)
  AND ($7::uuid IS NULL OR audit.audit_id < $7)
ORDER BY audit.audit_id DESC LIMIT $8
