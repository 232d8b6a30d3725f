-- search/queued.sql: jobs that may start now, later, or when their source goes on, between the ids $1 and $2: the first $3 of them, or the last $4; the
-- other one is 0. Each table gives so many; the caller takes as many of all together.
(SELECT job_id FROM ready WHERE job_id > $1 AND job_id < $2 ORDER BY job_id LIMIT $3)
UNION ALL
(SELECT job_id FROM delayed WHERE job_id > $1 AND job_id < $2 ORDER BY job_id LIMIT $3)
UNION ALL
(SELECT job_id FROM ready WHERE job_id > $1 AND job_id < $2 ORDER BY job_id DESC LIMIT $4)
UNION ALL
(SELECT job_id FROM delayed WHERE job_id > $1 AND job_id < $2 ORDER BY job_id DESC LIMIT $4)
UNION ALL
(SELECT job_id FROM held WHERE job_id > $1 AND job_id < $2 ORDER BY job_id LIMIT $3)
UNION ALL
(SELECT job_id FROM held WHERE job_id > $1 AND job_id < $2 ORDER BY job_id DESC LIMIT $4)
