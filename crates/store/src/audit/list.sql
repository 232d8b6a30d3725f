-- audit/list.sql: of the $7 audit rows between the ids $5 and $6, the newest first, those of subject $1, operation $2,
-- object kind $3 and id $4, from $8 until before $9 (NULL: any), at most $10. Lazily: it stops at the last one it needs.
SELECT seal.sequence, seal.hash, looked_at.audit_id, occurred_at, subject, credential, operation, scope, object_kind,
    object_id, before_digest, after_digest, reason, ticket, request_id, correlation_id, source
FROM (
    SELECT * FROM audit WHERE audit_id > $5 AND audit_id < $6 ORDER BY audit_id DESC LIMIT $7
) looked_at
LEFT JOIN audit_seal seal ON seal.tenant_id = looked_at.tenant_id AND seal.audit_id = looked_at.audit_id
WHERE ($1::text IS NULL OR subject = $1)
  AND ($2::text IS NULL OR operation = $2)
  AND ($3::text IS NULL OR object_kind = $3)
  AND ($4::text IS NULL OR object_id = $4)
  AND ($8::timestamptz IS NULL OR occurred_at >= $8)
  AND ($9::timestamptz IS NULL OR occurred_at < $9)
ORDER BY looked_at.audit_id DESC LIMIT $10
