-- job/list.sql: jobs of run $1, in state $2, of type $3 (NULL: any), after job $4, at most $5.
SELECT * FROM (
    SELECT job.job_id, job.run_id, job.job_key, job.job_type, job.priority, job.payload, job.payload_digest,
        job.max_attempts, job.created_at, job.correlation_id,
        CASE WHEN outcome.job_id IS NOT NULL THEN outcome.state WHEN lease.job_id IS NOT NULL THEN 'leased'
             WHEN waiting.job_id IS NOT NULL THEN 'blocked' ELSE 'queued' END AS state,
        coalesce(outcome.attempt, lease.attempt, delayed.attempts, ready.attempts, 0) AS attempts,
        delayed.ready_at, outcome.ended_at, outcome.class, outcome.detail, outcome.result
    FROM job
    LEFT JOIN outcome ON outcome.tenant_id = job.tenant_id AND outcome.job_id = job.job_id
    LEFT JOIN lease ON lease.tenant_id = job.tenant_id AND lease.job_id = job.job_id
    LEFT JOIN waiting ON waiting.tenant_id = job.tenant_id AND waiting.job_id = job.job_id
    LEFT JOIN delayed ON delayed.tenant_id = job.tenant_id AND delayed.job_id = job.job_id
    LEFT JOIN ready ON ready.tenant_id = job.tenant_id AND ready.job_type = job.job_type
        AND ready.sort_key = job.sort_key AND ready.job_id = job.job_id
    WHERE job.job_id > $4 AND ($1::uuid IS NULL OR job.run_id = $1) AND ($3::text IS NULL OR job.job_type = $3)
) job
WHERE $2::text IS NULL OR state = $2
ORDER BY job_id LIMIT $5
