-- delivery/find.sql: delivery $2 to webhook $1.
SELECT delivery_id, webhook_id, event_id, event_type, media_type, octet_length(body) AS bytes, state, tries, attempts, next_at,
    created_at, attempted_at, ended_at, status, error
FROM delivery WHERE webhook_id = $1 AND delivery_id = $2
