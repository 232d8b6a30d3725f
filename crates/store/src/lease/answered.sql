-- lease/answered.sql: what earlier reports on the jobs $1 were answered, for a worker that asks again.
SELECT job_id, token_hash, state FROM outcome WHERE job_id = ANY ($1) AND token_hash IS NOT NULL
UNION ALL
SELECT job_id, token_hash, 'queued' FROM attempt WHERE job_id = ANY ($1) AND token_hash IS NOT NULL
