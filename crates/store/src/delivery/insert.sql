-- delivery/insert.sql: deliveries $3 to webhook $2 of tenant $1, due at $8: of the events $4 (NULL: of a person's wish) of the
-- types $5, the bodies $7 in the media types $6.
INSERT INTO delivery (tenant_id, webhook_id, delivery_id, event_id, event_type, media_type, body, state, next_at, created_at)
SELECT $1, $2, delivery_id, event_id, event_type, media_type, body, 'pending', $8, $8
FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::bytea[])
    AS new (delivery_id, event_id, event_type, media_type, body)
