-- audit/checkpoints.sql: up to $2 checkpoints whose batches begin after row $1, in order.
SELECT first, size, epoch, head, digest, envelope, sealed_at FROM audit_checkpoint
WHERE first > $1 ORDER BY first LIMIT $2
