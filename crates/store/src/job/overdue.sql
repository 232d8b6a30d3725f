-- job/overdue.sql: up to $2 jobs whose deadline passed before $1.
SELECT job_id FROM waiting WHERE deadline <= $1
UNION ALL SELECT job_id FROM ready WHERE deadline <= $1
UNION ALL SELECT job_id FROM delayed WHERE deadline <= $1
UNION ALL SELECT job_id FROM held WHERE deadline <= $1
UNION ALL SELECT job_id FROM lease WHERE deadline <= $1
LIMIT $2
