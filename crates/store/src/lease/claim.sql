-- lease/claim.sql: the sessions of tenant $1 get ready jobs at $5: of each type in $2 those with a sort key from $3 on, at
-- most $4 of them. $6 has the sessions of the first type, then those of the second and so on, one element a job; $7 has for
-- each type how many come before its own. The first session of a type gets its first job and so on. $8 are ids for the
-- events, as many as there are sessions. SKIP LOCKED lets claimers pass each other; the fence rises with every grant; of
-- the token only a hash is kept.
-- Rows are addressed by place and matched by number, never joined: the planner knows nothing of rows that were just
-- picked and would compare each with each. The places hold, because a ready row is locked here and never updated.
-- A suspended tenant gets nothing, and no job of a paused source is granted: which source a job works for is looked up
-- only while one is paused, and those jobs are soon moved to held (hold/sweep.sql).
WITH paused AS MATERIALIZED (
    SELECT array_agg(name) AS names FROM source WHERE paused_at IS NOT NULL
), picked AS MATERIALIZED (
    SELECT ready.place, ready.job_id, ready.sort_key, gen_random_uuid() AS token,
        wanted.skip + row_number() OVER (PARTITION BY wanted.job_type ORDER BY ready.sort_key, ready.job_id) AS slot
    FROM unnest($2::text[], $3::bigint[], $4::bigint[], $7::bigint[]) AS wanted (job_type, first, jobs, skip)
    CROSS JOIN LATERAL (
        SELECT ctid AS place, job_id, sort_key FROM ready
        WHERE ready.tenant_id = $1 AND ready.job_type = wanted.job_type AND ready.sort_key >= wanted.first
            AND ((SELECT names FROM paused) IS NULL
                OR coalesce((SELECT job.source FROM job WHERE job.tenant_id = $1 AND job.job_id = ready.job_id), '')
                    <> ALL ((SELECT names FROM paused)::text[]))
        ORDER BY ready.sort_key, ready.job_id LIMIT wanted.jobs FOR UPDATE SKIP LOCKED
    ) ready
    WHERE EXISTS (SELECT FROM tenant WHERE tenant_id = $1 AND state = 'active')
), gone AS (
    DELETE FROM ready WHERE ctid = ANY (ARRAY(SELECT place FROM picked)) RETURNING ready.*
), granted AS (
    INSERT INTO lease (tenant_id, job_id, fence, token_hash, session_id, granted_at, job_type, sort_key, run_id,
        attempt, crashes, max_attempts, max_crashes, deadline, has_children)
    SELECT tenant_id, job_id, nextval('fence'),
        sha256(uuid_send((ARRAY(SELECT token FROM picked ORDER BY sort_key, job_id))[number])),
        ($6::uuid[])[(ARRAY(SELECT slot FROM picked ORDER BY sort_key, job_id))[number]], $5,
        job_type, sort_key, run_id, attempts + 1, crashes, max_attempts, max_crashes, deadline, has_children
    FROM (SELECT gone.*, row_number() OVER (ORDER BY sort_key, job_id) AS number FROM gone) numbered
    RETURNING job_id, session_id, job_type, fence, attempt, crashes, sort_key, run_id, max_attempts, max_crashes, deadline
), numbered AS MATERIALIZED (
    SELECT granted.*, row_number() OVER (ORDER BY sort_key, job_id) AS number FROM granted
), told AS (
    INSERT INTO event (tenant_id, event_id, kind, occurred_at, run_id, job_id, attempt, actor, scope)
    SELECT $1, ($8::uuid[])[number], 'job.leased', $5, run_id, job_id, attempt, session.subject, 'orch:worker'
    FROM numbered LEFT JOIN worker_session session
        ON session.tenant_id = $1 AND session.session_id = numbered.session_id
)
SELECT numbered.job_id, numbered.session_id, numbered.job_type, numbered.fence, numbered.attempt, numbered.crashes,
    numbered.sort_key, numbered.run_id, numbered.max_attempts, numbered.max_crashes, numbered.deadline,
    (ARRAY(SELECT token FROM picked ORDER BY sort_key, job_id))[number] AS token,
    job.job_key, job.payload, job.payload_digest, job.correlation_id, job.traceparent,
    job.project_id, job.source, job.tags
FROM numbered JOIN job ON job.tenant_id = $1 AND job.job_id = numbered.job_id
ORDER BY numbered.number
