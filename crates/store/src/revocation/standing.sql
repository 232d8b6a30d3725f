-- revocation/standing.sql: what is revoked at $1.
SELECT subject, not_before, token_id FROM revocation WHERE expires_at > $1
