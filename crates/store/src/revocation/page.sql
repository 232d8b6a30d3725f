-- revocation/page.sql: revocations after $1 that still matter at $2, at most $3.
SELECT revocation_id, subject, not_before, token_id, created_by, created_at, expires_at FROM revocation
WHERE revocation_id > $1 AND expires_at > $2 ORDER BY revocation_id LIMIT $3
