-- act/find.sql: what is remembered under the keys of some acts ($1: their numbers, $2 subjects, $3 operations, $4 keys).
SELECT asked.number, record.request_digest, record.status, record.answer, record.expires_at
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[]) AS asked (number, subject, operation, key_hash)
JOIN idempotency record USING (subject, operation, key_hash)
