-- api_key/find.sql: key $1, and what it is checked against.
SELECT key_id, name, project_id, scopes, mac, created_by, created_at, expires_at, last_used_at, revoked_at
FROM api_key WHERE key_id = $1
