-- webhook/secret.sql: the sealed secrets of webhook $1 that are active at $2, the new one first, and the key that sealed them.
SELECT key_id, secret, CASE WHEN old_secret_until > $2 THEN old_secret END AS old_secret FROM webhook WHERE webhook_id = $1
