-- run/finish.sql: ends run $1 in state $2 at $3, once.
UPDATE run SET state = $2, finished_at = $3, since = $3 WHERE run_id = $1 AND finished_at IS NULL
