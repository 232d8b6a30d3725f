-- act/audit.sql: the audit rows of some acts of tenant $1 at $2, one element of each array an act. The ids say when each was
-- written: of two acts on one object the second waited for the first, and is later.
INSERT INTO audit (tenant_id, audit_id, occurred_at, subject, credential, operation, scope, object_kind, object_id,
    before_digest, after_digest, reason, ticket, request_id, correlation_id, source)
SELECT $1, uuid_at(at, audit_id), $2, subject, credential, operation, scope, object_kind, object_id, before_digest, after_digest,
    reason, ticket, request_id, correlation_id, source
FROM (
    SELECT *, clock_timestamp() AS at
    FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bytea[],
        $11::bytea[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[])
    AS t (audit_id, subject, credential, operation, scope, object_kind, object_id, before_digest, after_digest, reason,
        ticket, request_id, correlation_id, source)
) t
