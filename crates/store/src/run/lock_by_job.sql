-- run/lock_by_job.sql: locks the runs of the jobs $1, in the order of their ids, before any job is locked.
SELECT run_id FROM run
WHERE run_id = ANY (ARRAY(SELECT DISTINCT job.run_id FROM job WHERE job.job_id = ANY ($1)))
ORDER BY run_id FOR NO KEY UPDATE
