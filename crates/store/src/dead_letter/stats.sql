-- dead_letter/stats.sql: the open dead letters by class, type and signature, the largest clusters first, at most $1; of
-- type $2 and source $3 (NULL: any).
SELECT letter.class, letter.job_type, letter.signature, count(*) AS letters, count(letter.owner) AS assigned,
    min(letter.opened_at) AS oldest, max(letter.opened_at) AS newest, max(letter.job_id::text)::uuid AS sample
FROM dead_letter letter JOIN job ON job.tenant_id = letter.tenant_id AND job.job_id = letter.job_id
WHERE letter.decision = 'open' AND ($2::text IS NULL OR letter.job_type = $2) AND ($3::text IS NULL OR job.source = $3)
GROUP BY letter.class, letter.job_type, letter.signature
ORDER BY letters DESC, letter.class, letter.job_type, letter.signature LIMIT $1
