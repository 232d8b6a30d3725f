-- webhook/failed.sql: an attempt of webhook $1 failed at $2; since when they all do.
UPDATE webhook SET failures = failures + 1, failing_since = coalesce(failing_since, $2) WHERE webhook_id = $1
RETURNING failing_since
