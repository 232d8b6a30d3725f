-- delivery/list.sql: up to $3 deliveries to webhook $1 before $2, newest first, in state $4 (NULL: any).
SELECT delivery_id, webhook_id, event_id, event_type, media_type, octet_length(body) AS bytes, state, tries, attempts, next_at,
    created_at, attempted_at, ended_at, status, error
FROM delivery WHERE webhook_id = $1 AND delivery_id < $2 AND ($4::text IS NULL OR state = $4)
ORDER BY delivery_id DESC LIMIT $3
