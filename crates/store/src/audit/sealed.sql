-- audit/sealed.sql: the sealed rows numbered $1 to $2, in order. A row that is gone leaves its seal out: the verifier
-- sees the gap.
SELECT seal.sequence, seal.hash, audit.audit_id, occurred_at, subject, credential, operation, scope, object_kind,
    object_id, before_digest, after_digest, reason, ticket, request_id, correlation_id, source
FROM audit_seal seal JOIN audit ON audit.tenant_id = seal.tenant_id AND audit.txid = seal.txid AND audit.audit_id = seal.audit_id
WHERE seal.sequence BETWEEN $1 AND $2
ORDER BY seal.sequence
