-- idempotency/expired.sql: forgets up to $2 answers that no longer count at $1. Without a lock, for which the role would
-- have to be allowed to change answers: two that forget the same ones meet in the DELETE.
DELETE FROM idempotency WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM idempotency WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2))
