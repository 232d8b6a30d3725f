-- trace/ended.sql: where the traces of the jobs $1 began. Sent only while traces are recorded.
SELECT job_id, traceparent FROM job WHERE job_id = ANY ($1) AND traceparent IS NOT NULL
