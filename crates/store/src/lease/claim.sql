-- lease/claim.sql: the sessions of tenant $1 get ready jobs at $5: of each type in $2 those with a sort key from $3 on, at
-- most $4 of them. $6 has the sessions of the first type, then those of the second and so on, one element a job; $7 has for
-- each type how many come before its own. The first session of a type gets its first job and so on. $8 are ids for the
-- events, as many as there are sessions. SKIP LOCKED lets claimers pass each other; the fence rises with every grant; of
-- the token only a hash is kept.
-- Rows are addressed by place and matched by number, never joined: the planner knows nothing of rows that were just
-- picked and would compare each with each. The places hold, because a ready row is locked here and never updated.
-- An attempt begins after whatever happened to its job before, whatever the clock says; its event's id says the same moment.
-- With $9 only jobs that are granted alone (retry.rs), else only others.
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
            AND (crashes > 0 AND (crashes + 1 >= max_crashes OR attempts + 1 >= max_attempts)) = $9
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
        attempt, crashes, max_attempts, max_crashes, deadline, has_children, since)
    SELECT tenant_id, job_id, nextval('fence'),
        sha256(uuid_send((ARRAY(SELECT token FROM picked ORDER BY sort_key, job_id))[number])),
        ($6::uuid[])[(ARRAY(SELECT slot FROM picked ORDER BY sort_key, job_id))[number]], at,
        job_type, sort_key, run_id, attempts + 1, crashes, max_attempts, max_crashes, deadline, has_children, at
    FROM (
        SELECT gone.*, greatest($5, since + interval '1 microsecond') AS at,
            row_number() OVER (ORDER BY sort_key, job_id) AS number
        FROM gone
    ) numbered
    RETURNING granted_at, job_id, session_id, job_type, fence, attempt, crashes, sort_key, run_id, max_attempts, max_crashes, deadline
), numbered AS MATERIALIZED (
    SELECT granted.*, row_number() OVER (ORDER BY sort_key, job_id) AS number FROM granted
), told AS (
    INSERT INTO event (tenant_id, txid, event_id, kind, occurred_at, run_id, job_id, attempt, actor, scope)
    SELECT $1, (SELECT stream_place()),
        CASE WHEN granted_at = $5 THEN ($8::uuid[])[number] ELSE uuid_at(granted_at, ($8::uuid[])[number]) END,
        'job.leased', granted_at, run_id, job_id, attempt,
        (SELECT subject FROM worker_session WHERE tenant_id = $1 AND session_id = numbered.session_id), 'orch:worker'
    FROM numbered
)
SELECT numbered.job_id, numbered.session_id, numbered.job_type, numbered.fence, numbered.attempt, numbered.crashes,
    numbered.sort_key, numbered.granted_at, numbered.run_id, numbered.max_attempts, numbered.max_crashes, numbered.deadline,
    (ARRAY(SELECT token FROM picked ORDER BY sort_key, job_id))[number] AS token,
    job.job_key, job.payload, job.payload_digest, job.correlation_id, job.traceparent,
    job.project_id, job.source, job.tags
FROM numbered CROSS JOIN LATERAL (
    SELECT * FROM job WHERE job.tenant_id = $1 AND job.job_id = numbered.job_id LIMIT 1
) job
ORDER BY numbered.number
