-- prioritize/move.sql: job $2 of tenant $1, wherever it waits or runs, goes by the key $3 from $4 on, because of $5; $6 is
-- drawn for the event's id, which $7 causes by scope $8. A ready row is never updated, because a claim addresses it by its place: it is written anew.
WITH gone AS (
    DELETE FROM ready WHERE job_id = $2 RETURNING *, greatest($4, since + interval '1 microsecond') AS at
), again AS (
    INSERT INTO ready (tenant_id, job_type, sort_key, job_id, run_id, attempts, crashes, max_attempts, max_crashes,
        deadline, has_children, since)
    SELECT tenant_id, job_type, $3, job_id, run_id, attempts, crashes, max_attempts, max_crashes, deadline, has_children, at
    FROM gone
), blocked AS (
    UPDATE waiting SET sort_key = $3, since = greatest($4, since + interval '1 microsecond') WHERE job_id = $2
    RETURNING job_type, run_id, since AS at
), later AS (
    UPDATE delayed SET sort_key = $3, since = greatest($4, since + interval '1 microsecond') WHERE job_id = $2
    RETURNING job_type, run_id, since AS at
), leased AS (
    UPDATE lease SET sort_key = $3, since = greatest($4, since + interval '1 microsecond') WHERE job_id = $2
    RETURNING job_type, run_id, since AS at
), on_hold AS (
    UPDATE held SET sort_key = $3, since = greatest($4, since + interval '1 microsecond') WHERE job_id = $2
    RETURNING job_type, run_id, since AS at
), moved AS (
    SELECT job_type, run_id, at, true AS ready FROM gone
    UNION ALL SELECT job_type, run_id, at, false FROM blocked
    UNION ALL SELECT job_type, run_id, at, false FROM later
    UNION ALL SELECT job_type, run_id, at, false FROM leased
    UNION ALL SELECT job_type, run_id, at, false FROM on_hold
), told AS (
    INSERT INTO event (tenant_id, event_id, kind, occurred_at, run_id, job_id, reason, actor, scope)
    SELECT $1, uuid_at(at, $6), 'job.prioritized', at, run_id, $2, $5, $7, $8 FROM moved
)
SELECT job_type, ready FROM moved
