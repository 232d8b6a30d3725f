-- job/get.sql: job $1 with its state, told by the narrow table it stands in.
SELECT job.job_id, job.run_id, job.job_key, job.job_type, job.priority, job.payload, job.payload_digest,
    job.max_attempts, job.created_at, job.correlation_id, job.project_id, job.source, job.tags, job.replay_of,
    job.sort_key AS submitted_key,
    coalesce(lease.sort_key, waiting.sort_key, delayed.sort_key, ready.sort_key, held.sort_key, job.sort_key) AS sort_key,
    CASE WHEN outcome.job_id IS NOT NULL THEN outcome.state WHEN lease.job_id IS NOT NULL THEN 'leased'
         WHEN waiting.job_id IS NOT NULL THEN 'blocked' ELSE 'queued' END AS state,
    coalesce(outcome.attempt, lease.attempt, delayed.attempts, ready.attempts, held.attempts, 0) AS attempts,
    delayed.ready_at, outcome.ended_at, outcome.class, outcome.detail, outcome.result
FROM job
LEFT JOIN outcome ON outcome.tenant_id = job.tenant_id AND outcome.job_id = job.job_id
LEFT JOIN lease ON lease.tenant_id = job.tenant_id AND lease.job_id = job.job_id
LEFT JOIN waiting ON waiting.tenant_id = job.tenant_id AND waiting.job_id = job.job_id
LEFT JOIN delayed ON delayed.tenant_id = job.tenant_id AND delayed.job_id = job.job_id
LEFT JOIN ready ON ready.tenant_id = job.tenant_id AND ready.job_id = job.job_id
LEFT JOIN held ON held.tenant_id = job.tenant_id AND held.job_id = job.job_id
WHERE job.job_id = $1
