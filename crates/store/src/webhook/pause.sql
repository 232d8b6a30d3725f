-- webhook/pause.sql: webhook $1 is given a rest at $3 because of $2.
UPDATE webhook SET state = 'paused', pause_reason = $2, paused_at = $3, updated_at = $3
WHERE webhook_id = $1 AND state = 'active'
