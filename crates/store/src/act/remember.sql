-- act/remember.sql: what some keyed acts of tenant $1 were answered, until $2, one element of each array an act.
INSERT INTO idempotency (tenant_id, subject, operation, key_hash, request_digest, status, answer, expires_at)
SELECT $1, subject, operation, key_hash, request_digest, status, answer, $2
FROM unnest($3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::smallint[], $8::bytea[])
AS t (subject, operation, key_hash, request_digest, status, answer)
