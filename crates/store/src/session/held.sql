-- session/held.sql: what the session $1 holds, in the order of the jobs' ids, at most $2. With the jobs, because they stand
-- behind the wall between projects and leases do not.
SELECT lease.job_id, lease.job_type, lease.session_id, lease.attempt, lease.granted_at, lease.started_at,
    lease.progress_permille, lease.progress_note, lease.progress_at
FROM lease JOIN job ON job.tenant_id = lease.tenant_id AND job.job_id = lease.job_id
WHERE lease.session_id = $1 ORDER BY lease.job_id LIMIT $2
