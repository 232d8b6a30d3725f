-- standing/find.sql: where job $1 stands now: the facts from which it is told why it is not running.
SELECT job.job_id, job.job_type, job.not_before, outcome.state AS ended, outcome.class,
    lease.attempt AS leased, lease.fence, lease.crashes AS lease_crashes, waiting.parents_left,
    coalesce(ready.attempts, delayed.attempts) AS attempts, coalesce(ready.crashes, delayed.crashes) AS crashes,
    delayed.ready_at, ready.sort_key
FROM job
LEFT JOIN outcome ON outcome.tenant_id = job.tenant_id AND outcome.job_id = job.job_id
LEFT JOIN lease ON lease.tenant_id = job.tenant_id AND lease.job_id = job.job_id
LEFT JOIN waiting ON waiting.tenant_id = job.tenant_id AND waiting.job_id = job.job_id
LEFT JOIN delayed ON delayed.tenant_id = job.tenant_id AND delayed.job_id = job.job_id
LEFT JOIN ready ON ready.tenant_id = job.tenant_id AND ready.job_id = job.job_id
WHERE job.job_id = $1
