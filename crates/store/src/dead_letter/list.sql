-- dead_letter/list.sql: dead letters after that of job $1, at most $2: decided so $3, of class $4, of type $5, with
-- signature $6, looked after by $7, of source $8, of run $9, opened from $10 on and before $11, of job $12 (NULL: any).
SELECT letter.job_id, letter.job_type, letter.class, letter.detail, letter.signature, letter.decision, letter.opened_at,
    letter.owner, letter.decided_at, letter.decided_by, letter.reason, letter.replay_id, letter.payload_diff,
    job.run_id, job.source, job.correlation_id
FROM dead_letter letter JOIN job ON job.tenant_id = letter.tenant_id AND job.job_id = letter.job_id
WHERE letter.job_id > $1
    AND ($3::text IS NULL OR letter.decision = $3)
    AND ($4::text IS NULL OR letter.class = $4)
    AND ($5::text IS NULL OR letter.job_type = $5)
    AND ($6::text IS NULL OR letter.signature = $6)
    AND ($7::text IS NULL OR letter.owner = $7)
    AND ($8::text IS NULL OR job.source = $8)
    AND ($9::uuid IS NULL OR job.run_id = $9)
    AND ($10::timestamptz IS NULL OR letter.opened_at >= $10)
    AND ($11::timestamptz IS NULL OR letter.opened_at < $11)
    AND ($12::uuid IS NULL OR letter.job_id = $12)
ORDER BY letter.job_id LIMIT $2
