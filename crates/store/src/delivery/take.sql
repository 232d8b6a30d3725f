-- delivery/take.sql: up to $3 deliveries to webhook $1 that are due at $2, oldest first; until $4 nobody else takes them.
UPDATE delivery SET next_at = $4
FROM (SELECT delivery_id FROM delivery WHERE webhook_id = $1 AND state = 'pending' AND next_at <= $2
      ORDER BY next_at, delivery_id LIMIT $3 FOR UPDATE SKIP LOCKED) due
WHERE delivery.webhook_id = $1 AND delivery.delivery_id = due.delivery_id
RETURNING delivery.delivery_id, event_type, media_type, body, tries, attempts, next_at
