-- outbox/put.sql: message $2 of tenant $1 about $4 on topic $3, ready at $6.
INSERT INTO outbox (tenant_id, outbox_id, topic, subject, body, created_at, next_at) VALUES ($1, $2, $3, $4, $5, $6, $6)
