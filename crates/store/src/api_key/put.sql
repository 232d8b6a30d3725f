-- api_key/put.sql: key $2 of tenant $1 for service $3, within project $4, with scopes $5 and MAC $6, by $7 at $8, until $9.
INSERT INTO api_key (tenant_id, key_id, name, project_id, scopes, mac, created_by, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
