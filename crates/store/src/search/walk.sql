-- search/walk.sql: every job, between the ids $1 and $2: the first $3 of them, or the last $4; the other one is 0.
(SELECT job_id FROM job WHERE job_id > $1 AND job_id < $2 ORDER BY job_id LIMIT $3)
UNION ALL
(SELECT job_id FROM job WHERE job_id > $1 AND job_id < $2 ORDER BY job_id DESC LIMIT $4)
