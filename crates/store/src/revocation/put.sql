-- revocation/put.sql: revocation $2 of tenant $1 by $6 at $7: of subject $3's tokens up to $4, or of token $5; kept until $8.
INSERT INTO revocation (tenant_id, revocation_id, subject, not_before, token_id, created_by, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
