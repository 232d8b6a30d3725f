-- webhook/recovered.sql: an attempt of webhook $1 succeeded.
UPDATE webhook SET failures = 0, failing_since = NULL WHERE webhook_id = $1 AND failures > 0
