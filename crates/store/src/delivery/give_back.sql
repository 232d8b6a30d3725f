-- delivery/give_back.sql: the deliveries $2 to webhook $1 were taken until $3 and not sent: they are due again at $4.
UPDATE delivery SET next_at = $4 WHERE webhook_id = $1 AND delivery_id = ANY ($2) AND state = 'pending' AND next_at = $3
