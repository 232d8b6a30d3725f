-- dead_letter/lock.sql: those of the jobs $1 whose dead letters are open, kept so until this transaction ends.
SELECT letter.job_id FROM dead_letter letter JOIN job ON job.tenant_id = letter.tenant_id AND job.job_id = letter.job_id
WHERE letter.job_id = ANY ($1) AND letter.decision = 'open' ORDER BY letter.job_id FOR UPDATE OF letter
