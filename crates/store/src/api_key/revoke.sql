-- api_key/revoke.sql: ends key $1 at $2; the first end counts.
UPDATE api_key SET revoked_at = $2 WHERE key_id = $1 AND revoked_at IS NULL
