-- audit/checkpoint_at.sql: the checkpoint of the batch that row $1 is in.
SELECT first, size, epoch, head, digest, envelope, sealed_at FROM audit_checkpoint
WHERE first <= $1 AND size >= $1 ORDER BY first DESC LIMIT 1
