-- job/submit.sql: writes a batch of jobs of tenant $1 at $2, each to the ledger and to the narrow table of its
-- state ($16: blocked by so many parents, $14: not before). One element of each array a job; the tags of
-- a job ($21) are joined by commas, which no tag holds: unnest would take an array of arrays apart.
WITH new AS MATERIALIZED (
    SELECT * FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[],
        $10::bytea[], $11::integer[], $12::integer[], $13::timestamptz[], $14::timestamptz[], $15::boolean[],
        $16::integer[], $17::text[], $18::uuid[], $19::uuid[], $20::text[], $21::text[], $22::uuid[], $23::text[],
        $24::text[], $25::text[])
    AS t (job_id, run_id, job_key, job_type, priority, sort_key, payload, payload_digest, max_attempts, max_crashes,
        deadline, not_before, has_children, parents, correlation_id, event_id, project_id, source, tags,
        replay_of, traceparent, actor, scope)
), ledger AS (
    INSERT INTO job (tenant_id, job_id, run_id, job_key, job_type, priority, sort_key, payload, payload_digest,
        max_attempts, max_crashes, not_before, deadline, correlation_id, created_at, project_id, source, tags, replay_of,
        traceparent)
    SELECT $1, job_id, run_id, job_key, job_type, priority, sort_key, payload, payload_digest,
        max_attempts, max_crashes, not_before, deadline, correlation_id, $2, project_id, source, string_to_array(tags, ','), replay_of,
        traceparent FROM new
), blocked AS (
    INSERT INTO waiting (tenant_id, job_id, run_id, job_type, sort_key, max_attempts, max_crashes, deadline,
        has_children, not_before, parents_left, since)
    SELECT $1, job_id, run_id, job_type, sort_key, max_attempts, max_crashes, deadline, has_children, not_before, parents, $2
    FROM new WHERE parents > 0
), later AS (
    INSERT INTO delayed (tenant_id, job_id, job_type, sort_key, ready_at, run_id, attempts, crashes, max_attempts,
        max_crashes, deadline, has_children, since)
    SELECT $1, job_id, job_type, sort_key, not_before, run_id, 0, 0, max_attempts, max_crashes, deadline, has_children, $2
    FROM new WHERE parents = 0 AND not_before > $2
), now AS (
    INSERT INTO ready (tenant_id, job_type, sort_key, job_id, run_id, attempts, crashes, max_attempts, max_crashes,
        deadline, has_children, since)
    SELECT $1, job_type, sort_key, job_id, run_id, 0, 0, max_attempts, max_crashes, deadline, has_children, $2
    FROM new WHERE parents = 0 AND (not_before IS NULL OR not_before <= $2)
), tagged AS (
    INSERT INTO job_tag (tenant_id, tag, job_id)
    SELECT DISTINCT $1::uuid, tag, job_id FROM new, unnest(string_to_array(tags, ',')) AS tag
)
INSERT INTO event (tenant_id, txid, event_id, kind, occurred_at, run_id, job_id, reason, actor, scope)
SELECT $1, (SELECT stream_place()), event_id, 'job.submitted', $2, run_id, job_id, CASE WHEN parents > 0 THEN 'blocked' END, actor, scope FROM new
