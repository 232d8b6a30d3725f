-- api_key/page.sql: keys after $1, at most $2.
SELECT key_id, name, project_id, scopes, created_by, created_at, expires_at, last_used_at, revoked_at
FROM api_key WHERE key_id > $1 ORDER BY key_id LIMIT $2
