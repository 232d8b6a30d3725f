-- outbox/due.sql: up to $2 messages due at $1, oldest first; each is held back for 30 s, so that two readers rarely
-- deliver the same one. Its receiver knows it by its id.
UPDATE outbox SET tries = outbox.tries + 1, next_at = $1::timestamptz + interval '30 s'
FROM (SELECT outbox_id FROM outbox WHERE delivered_at IS NULL AND next_at <= $1
      ORDER BY next_at, outbox_id LIMIT $2 FOR UPDATE SKIP LOCKED) due
WHERE outbox.outbox_id = due.outbox_id
RETURNING outbox.outbox_id, topic, subject, body, outbox.tries
