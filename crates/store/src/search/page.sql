-- search/page.sql: those of the jobs $1 that are in one of the states $2, of type $3, for source $4, tagged $5, of run $6,
-- of project $7, with correlation id $8, and hold $9 (in lower case) in name, type or correlation id. NULL: any.
-- Without payloads and results: they are large, and a list does not show them.
SELECT * FROM (
    SELECT job.job_id, job.run_id, job.job_key, job.job_type, job.priority, job.payload_digest, job.max_attempts,
        job.created_at, job.correlation_id, job.project_id, job.source, job.tags, job.replay_of,
        job.sort_key AS submitted_key,
        coalesce(lease.sort_key, waiting.sort_key, delayed.sort_key, ready.sort_key, held.sort_key, job.sort_key) AS sort_key,
        CASE WHEN outcome.job_id IS NOT NULL THEN outcome.state WHEN lease.job_id IS NOT NULL THEN 'leased'
             WHEN waiting.job_id IS NOT NULL THEN 'blocked' ELSE 'queued' END AS state,
        coalesce(outcome.attempt, lease.attempt, delayed.attempts, ready.attempts, held.attempts, 0) AS attempts,
        delayed.ready_at, outcome.ended_at, outcome.class, outcome.detail
    FROM job
    LEFT JOIN outcome ON outcome.tenant_id = job.tenant_id AND outcome.job_id = job.job_id
    LEFT JOIN lease ON lease.tenant_id = job.tenant_id AND lease.job_id = job.job_id
    LEFT JOIN waiting ON waiting.tenant_id = job.tenant_id AND waiting.job_id = job.job_id
    LEFT JOIN delayed ON delayed.tenant_id = job.tenant_id AND delayed.job_id = job.job_id
    LEFT JOIN ready ON ready.tenant_id = job.tenant_id AND ready.job_id = job.job_id
    LEFT JOIN held ON held.tenant_id = job.tenant_id AND held.job_id = job.job_id
    WHERE job.job_id = ANY ($1) AND ($3::text IS NULL OR job.job_type = $3) AND ($4::text IS NULL OR job.source = $4)
        AND ($5::text IS NULL OR $5 = ANY (job.tags)) AND ($6::uuid IS NULL OR job.run_id = $6)
        AND ($7::uuid IS NULL OR job.project_id = $7) AND ($8::text IS NULL OR job.correlation_id = $8)
        AND ($9::text IS NULL OR strpos(lower(job.job_key), $9) > 0 OR strpos(lower(job.job_type), $9) > 0
            OR strpos(lower(job.correlation_id), $9) > 0)
) job
WHERE $2::text[] IS NULL OR state = ANY ($2)
ORDER BY job_id
