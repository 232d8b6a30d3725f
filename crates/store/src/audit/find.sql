-- audit/find.sql: the audit row $1, with its seal if it has one.
SELECT seal.sequence, seal.hash, audit.audit_id, occurred_at, subject, credential, operation, scope, object_kind,
    object_id, before_digest, after_digest, reason, ticket, request_id, correlation_id, source
FROM audit LEFT JOIN audit_seal seal ON seal.tenant_id = audit.tenant_id AND seal.audit_id = audit.audit_id
WHERE audit.audit_id = $1
