-- api_key/live.sql: how many keys can be used at $1.
SELECT count(*) AS live FROM api_key WHERE revoked_at IS NULL AND expires_at > $1
