-- outbox/delivered.sql: message $1 was delivered at $2.
UPDATE outbox SET delivered_at = $2 WHERE outbox_id = $1 AND delivered_at IS NULL
