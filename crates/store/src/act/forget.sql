-- act/forget.sql: forgets what subject $1 was answered to operation $2 under key $3.
DELETE FROM idempotency WHERE subject = $1 AND operation = $2 AND key_hash = $3
