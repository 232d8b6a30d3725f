-- job/attempts.sql: the attempts of the jobs $1, in the order of their fences; the one under way has no end.
SELECT job_id, attempt, fence, session_id, granted_at, started_at, ended_at, cause, class, detail
FROM attempt WHERE job_id = ANY ($1)
UNION ALL
SELECT job_id, attempt, fence, session_id, granted_at, started_at, ended_at, state, class, detail
FROM outcome WHERE job_id = ANY ($1) AND fence IS NOT NULL
UNION ALL
SELECT job_id, attempt, fence, session_id, granted_at, started_at, NULL, NULL, NULL, NULL
FROM lease WHERE job_id = ANY ($1)
ORDER BY fence
