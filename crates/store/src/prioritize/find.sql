-- prioritize/find.sql: the band and key with which job $1 was submitted.
SELECT priority, sort_key FROM job WHERE job_id = $1
