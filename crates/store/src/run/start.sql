-- run/start.sql: marks the runs $1 as running from $2 on; touches only those that are still queued.
UPDATE run SET state = 'running', started_at = $2 WHERE run_id = ANY ($1) AND state = 'queued'
