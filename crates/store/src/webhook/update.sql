-- webhook/update.sql: what webhook $1 is and is told of, as of $7.
UPDATE webhook SET name = $2, url = $3, event_types = $4, job_types = $5, run_id = $6, updated_at = $7 WHERE webhook_id = $1
