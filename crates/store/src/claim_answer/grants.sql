-- claim_answer/grants.sql: the leases of the jobs $1 as they were granted, in the order of claims.
SELECT lease.job_id, lease.session_id, lease.fence, lease.attempt, lease.crashes, lease.sort_key, lease.run_id,
    lease.max_attempts, lease.max_crashes, lease.deadline, lease.job_type, lease.token_hash, lease.granted_at,
    job.job_key, job.payload, job.payload_digest, job.correlation_id, job.traceparent,
    job.project_id, job.source, job.tags
FROM lease JOIN job ON job.tenant_id = lease.tenant_id AND job.job_id = lease.job_id
WHERE lease.job_id = ANY ($1) ORDER BY lease.sort_key, lease.job_id
