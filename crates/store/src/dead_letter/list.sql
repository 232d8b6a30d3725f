-- dead_letter/list.sql: dead letters after that of job $1, at most $2.
SELECT job_id, job_type, class, detail, decision, opened_at FROM dead_letter WHERE job_id > $1 ORDER BY job_id LIMIT $2
