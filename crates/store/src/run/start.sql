-- run/start.sql: marks the runs $1 as running since the moments $2, one a run; touches only those that are still queued.
-- Locked in the order of their ids, as everywhere: two claims may start the same runs.
WITH fresh AS MATERIALIZED (
    SELECT run_id FROM run WHERE run_id = ANY ($1) AND state = 'queued' ORDER BY run_id FOR NO KEY UPDATE
)
UPDATE run SET state = 'running', started_at = ($2::timestamptz[])[array_position($1::uuid[], run_id)]
WHERE run_id = ANY (ARRAY(SELECT run_id FROM fresh)) AND state = 'queued'
