-- run_plan/nodes.sql: the jobs of run $1 as they stand, in the order of their ids: parents first.
SELECT job.job_id, job.job_key, job.job_type, job.created_at, outcome.state AS ended, outcome.class, outcome.ended_at,
    lease.attempt AS leased, lease.fence, lease.crashes AS lease_crashes, waiting.parents_left,
    coalesce(ready.attempts, delayed.attempts, held.attempts) AS attempts,
    coalesce(ready.crashes, delayed.crashes, held.crashes) AS crashes,
    delayed.ready_at
FROM job
LEFT JOIN outcome ON outcome.tenant_id = job.tenant_id AND outcome.job_id = job.job_id
LEFT JOIN lease ON lease.tenant_id = job.tenant_id AND lease.job_id = job.job_id
LEFT JOIN waiting ON waiting.tenant_id = job.tenant_id AND waiting.job_id = job.job_id
LEFT JOIN delayed ON delayed.tenant_id = job.tenant_id AND delayed.job_id = job.job_id
LEFT JOIN ready ON ready.tenant_id = job.tenant_id AND ready.job_id = job.job_id
LEFT JOIN held ON held.tenant_id = job.tenant_id AND held.job_id = job.job_id
WHERE job.run_id = $1 ORDER BY job.job_id
