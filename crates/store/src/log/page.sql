-- log/page.sql: lines of job $1 after $2, of attempt $3 (NULL: any), at most $4.
SELECT log_id, attempt, logged_at, level, line, cut FROM job_log
WHERE job_id = $1 AND log_id > $2 AND ($3::integer IS NULL OR attempt = $3) ORDER BY log_id LIMIT $4
