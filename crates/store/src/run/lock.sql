-- run/lock.sql: locks the runs of the leased jobs $1, in the order of their ids, before any job is locked.
SELECT run_id FROM run
WHERE run_id = ANY (ARRAY(SELECT DISTINCT lease.run_id FROM lease WHERE lease.job_id = ANY ($1)))
ORDER BY run_id FOR NO KEY UPDATE
