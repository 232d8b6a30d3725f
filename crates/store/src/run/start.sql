-- run/start.sql: marks the runs $1 as running from $2 on; touches only those that are still queued.
-- Locked in the order of their ids, as everywhere: two claims may start the same runs.
WITH fresh AS MATERIALIZED (
    SELECT run_id FROM run WHERE run_id = ANY ($1) AND state = 'queued' ORDER BY run_id FOR NO KEY UPDATE
)
UPDATE run SET state = 'running', started_at = $2 FROM fresh WHERE run.run_id = fresh.run_id AND run.state = 'queued'
