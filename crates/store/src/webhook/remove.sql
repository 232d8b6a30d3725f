-- webhook/remove.sql: webhook $1 goes; nothing sends its deliveries any more, and retention takes them.
DELETE FROM webhook WHERE webhook_id = $1
