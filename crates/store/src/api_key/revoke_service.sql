-- api_key/revoke_service.sql: ends the keys of service $1 at $2 that were made up to $3.
UPDATE api_key SET revoked_at = $2 WHERE name = $1 AND created_at <= $3 AND revoked_at IS NULL
