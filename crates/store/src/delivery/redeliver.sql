-- delivery/redeliver.sql: delivery $2 to webhook $1 is due again at $3, with all its tries; not while it waits anyway.
UPDATE delivery SET state = 'pending', tries = 0, next_at = $3, ended_at = NULL
WHERE webhook_id = $1 AND delivery_id = $2 AND state <> 'pending'
