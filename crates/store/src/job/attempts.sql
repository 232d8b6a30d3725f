-- job/attempts.sql: the attempts of job $1 that have ended, in the order of their fences.
SELECT attempt, fence, granted_at, ended_at, cause, class, detail FROM attempt WHERE job_id = $1
UNION ALL
SELECT attempt, fence, granted_at, ended_at, state, class, detail FROM outcome WHERE job_id = $1 AND fence IS NOT NULL
ORDER BY fence
