-- delivery/pending.sql: how many deliveries to webhook $1 wait, counted up to $2.
SELECT count(*) AS pending FROM (SELECT FROM delivery WHERE webhook_id = $1 AND state = 'pending' LIMIT $2) counted
