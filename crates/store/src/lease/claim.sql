-- lease/claim.sql: the sessions $2 of tenant $1 get up to $6 ready jobs of type $3 with a sort key from $4 on, at $5,
-- the first session the first job and so on. $7 are ids for the events; $6 is the length of $2 and of $7. SKIP LOCKED
-- lets claimers pass each other; the fence rises with every grant; of the token only a hash is kept.
WITH picked AS MATERIALIZED (
    SELECT job_id, sort_key, gen_random_uuid() AS token
    FROM ready WHERE job_type = $3 AND sort_key >= $4
    ORDER BY sort_key, job_id LIMIT $6 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM ready USING picked
    WHERE ready.job_type = $3 AND ready.sort_key = picked.sort_key AND ready.job_id = picked.job_id
    RETURNING ready.*, picked.token
), granted AS (
    INSERT INTO lease (tenant_id, job_id, fence, token_hash, session_id, granted_at, job_type, sort_key, run_id,
        attempt, crashes, max_attempts, max_crashes, deadline, has_children)
    SELECT tenant_id, job_id, nextval('fence'), sha256(uuid_send(token)),
        ($2::uuid[])[row_number() OVER (ORDER BY sort_key, job_id)], $5, job_type, sort_key, run_id,
        attempts + 1, crashes, max_attempts, max_crashes, deadline, has_children
    FROM gone
    RETURNING job_id, session_id, fence, attempt, crashes, sort_key, run_id, max_attempts, max_crashes, deadline
), told AS (
    INSERT INTO event (tenant_id, event_id, kind, occurred_at, run_id, job_id, attempt)
    SELECT $1, ($7::uuid[])[row_number() OVER (ORDER BY sort_key, job_id)], 'job.leased', $5, run_id, job_id, attempt
    FROM granted
)
SELECT granted.job_id, granted.session_id, granted.fence, granted.attempt, granted.crashes, granted.sort_key, granted.run_id,
    granted.max_attempts, granted.max_crashes, granted.deadline,
    picked.token, job.job_key, job.payload, job.payload_digest, job.correlation_id
FROM granted
JOIN picked USING (job_id)
JOIN job ON job.tenant_id = $1 AND job.job_id = granted.job_id
ORDER BY granted.sort_key, granted.job_id
