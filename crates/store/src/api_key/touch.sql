-- api_key/touch.sql: notes the use of key $1 at $2, once an hour.
UPDATE api_key SET last_used_at = $2::timestamptz
WHERE key_id = $1 AND (last_used_at IS NULL OR last_used_at < $2::timestamptz - interval '1 hour')
