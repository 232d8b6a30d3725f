-- lease/answered.sql: what earlier reports on the jobs $1 were answered and what they said, for a worker that asks again. Half
-- a hash stands where no report ended the attempt.
SELECT job_id, token_hash, state, report_digest FROM outcome WHERE job_id = ANY ($1) AND octet_length(token_hash) = 32
UNION ALL
SELECT job_id, token_hash, 'queued', report_digest FROM attempt WHERE job_id = ANY ($1) AND octet_length(token_hash) = 32
