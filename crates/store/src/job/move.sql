-- job/move.sql: carries out the decided moves of some jobs of tenant $1 at $2, one element of each array a job:
-- leases end ($12, the fence), outcomes and attempts are written, retries are queued, dead letters open. Of the token
-- the whole hash ($13) is kept when a report ended the attempt, else the half that is the lease's public name.
-- The premise of every move is its fence: the caller compares the number of leases that ended with what it expects.
-- Of a report its digest ($30) is kept. Each happens at its own moment ($29), after whatever happened to its job before; what waits is held against the clock ($2).
-- The leases are locked: their rows are addressed by place, never joined, because the planner would compare each with each.
WITH moved AS MATERIALIZED (
    SELECT * FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::integer[], $8::integer[],
        $9::timestamptz[], $10::boolean[], $11::text[], $12::bigint[], $13::bytea[], $14::uuid[], $15::timestamptz[],
        $16::integer[], $17::timestamptz[], $18::integer[], $19::integer[], $20::text[], $21::text[], $22::text[],
        $23::text[], $24::uuid[], $25::timestamptz[], $28::text[], $29::timestamptz[], $30::bytea[])
    AS t (job_id, run_id, job_type, sort_key, max_attempts, max_crashes, deadline, has_children, state, fence,
        token_hash, session_id, granted_at, attempt, ready_at, attempts, crashes, cause, class, detail, result, event_id,
        started_at, signature, at, report_digest)
), released AS (
    DELETE FROM lease WHERE ctid = ANY (ARRAY(
        SELECT held.place FROM unnest($3::uuid[], $12::bigint[]) AS moved (job_id, fence)
        CROSS JOIN LATERAL (
            SELECT ctid AS place FROM lease
            WHERE lease.tenant_id = $1 AND lease.job_id = moved.job_id AND lease.fence = moved.fence LIMIT 1
        ) held))
    RETURNING 1
), ended AS (
    INSERT INTO outcome (tenant_id, job_id, state, attempt, fence, token_hash, session_id, granted_at, started_at,
        ended_at, class, detail, result, report_digest)
    SELECT $1, job_id, state, attempt, fence, token_hash, session_id, granted_at, started_at, at, class, detail, result,
        report_digest
    FROM moved WHERE state <> 'queued'
), tried AS (
    INSERT INTO attempt (tenant_id, job_id, attempt, fence, token_hash, session_id, granted_at, started_at, ended_at, cause,
        class, detail, report_digest)
    SELECT $1, job_id, attempt, fence, token_hash, session_id, granted_at, started_at, at, cause, class, detail,
        report_digest
    FROM moved WHERE state = 'queued' AND fence IS NOT NULL
), again AS (
    INSERT INTO ready (tenant_id, job_type, sort_key, job_id, run_id, attempts, crashes, max_attempts, max_crashes,
        deadline, has_children, since)
    SELECT $1, job_type, sort_key, job_id, run_id, attempts, crashes, max_attempts, max_crashes, deadline, has_children, at
    FROM moved WHERE state = 'queued' AND ready_at <= $2
), later AS (
    INSERT INTO delayed (tenant_id, job_id, job_type, sort_key, ready_at, run_id, attempts, crashes, max_attempts,
        max_crashes, deadline, has_children, since)
    SELECT $1, job_id, job_type, sort_key, ready_at, run_id, attempts, crashes, max_attempts, max_crashes, deadline,
        has_children, at
    FROM moved WHERE state = 'queued' AND ready_at > $2
), dead AS (
    INSERT INTO dead_letter (tenant_id, job_id, job_type, class, detail, signature, opened_at)
    SELECT $1, job_id, job_type, class, coalesce(detail, ''), signature, at FROM moved WHERE state = 'failed'
), told AS (
    -- What a report moved, its worker did; everything else whoever opened the transaction: $26, by scope $27.
    INSERT INTO event (tenant_id, txid, event_id, kind, occurred_at, run_id, job_id, attempt, reason, actor, scope, backoff_ms)
    SELECT $1, (SELECT stream_place()), event_id, 'job.' || state, at, run_id, job_id, nullif(attempt, 0),
        coalesce(class, cause),
        CASE WHEN reported THEN (SELECT subject FROM worker_session WHERE tenant_id = $1 AND session_id = moved.session_id)
            ELSE $26 END, CASE WHEN reported THEN 'orch:worker' ELSE $27 END,
        CASE WHEN ready_at > $2 THEN round(extract(epoch FROM ready_at - $2) * 1000)::bigint END
    FROM (SELECT moved.*, coalesce(octet_length(token_hash) = 32, false) AS reported FROM moved) moved
)
SELECT count(*) AS released FROM released
