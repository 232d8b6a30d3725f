-- standing/find.sql: where job $1 stands now: the facts from which it is told why it is not running.
SELECT job.job_id, job.job_type, job.not_before, outcome.state AS ended, outcome.class,
    lease.attempt AS leased, lease.fence, lease.crashes AS lease_crashes, waiting.parents_left,
    coalesce(ready.attempts, delayed.attempts, held.attempts) AS attempts,
    coalesce(ready.crashes, delayed.crashes, held.crashes) AS crashes,
    delayed.ready_at, ready.sort_key, source.source_id IS NOT NULL AS paused
FROM job
LEFT JOIN outcome ON outcome.tenant_id = job.tenant_id AND outcome.job_id = job.job_id
LEFT JOIN lease ON lease.tenant_id = job.tenant_id AND lease.job_id = job.job_id
LEFT JOIN waiting ON waiting.tenant_id = job.tenant_id AND waiting.job_id = job.job_id
LEFT JOIN delayed ON delayed.tenant_id = job.tenant_id AND delayed.job_id = job.job_id
LEFT JOIN ready ON ready.tenant_id = job.tenant_id AND ready.job_id = job.job_id
LEFT JOIN held ON held.tenant_id = job.tenant_id AND held.job_id = job.job_id
LEFT JOIN source ON source.tenant_id = job.tenant_id AND source.name = job.source AND source.paused_at IS NOT NULL
WHERE job.job_id = $1
