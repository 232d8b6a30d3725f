-- delivery/settle.sql: an attempt at delivery $2 to webhook $1 ended at $5, with status $6 or error $7: it is $4 now, and due
-- at $8 when it waits. Only by whoever took it until $3: except that what has arrived has arrived.
UPDATE delivery SET state = $4, tries = tries + 1, attempts = attempts + 1, attempted_at = $5::timestamptz, status = $6,
    error = $7, next_at = $8, ended_at = CASE WHEN $4::text <> 'pending' THEN $5::timestamptz END
WHERE webhook_id = $1 AND delivery_id = $2 AND state <> 'delivered' AND (next_at = $3 OR $4::text = 'delivered')
