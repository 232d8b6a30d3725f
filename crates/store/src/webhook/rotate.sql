-- webhook/rotate.sql: the secret $3 of webhook $1, sealed by key $2, follows the one before, which signs beside it until $4
-- (NULL: not at all); at $5.
UPDATE webhook SET key_id = $2, secret = $3, updated_at = $5, old_secret_until = $4,
    old_secret = CASE WHEN $4::timestamptz IS NULL THEN NULL ELSE secret END
WHERE webhook_id = $1
