-- audit/looked_at.sql: the last of the $3 newest audit rows between the ids $1 and $2, if there are so many.
SELECT audit_id FROM audit WHERE audit_id > $1 AND audit_id < $2 ORDER BY audit_id DESC OFFSET $3::bigint - 1 LIMIT 1
