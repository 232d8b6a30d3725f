-- retry/move.sql: job $2 of tenant $1, which waits until $3 after an attempt, may start at $4; $5 is drawn for the event's
-- id, which $6 causes by scope $7.
WITH gone AS (
    DELETE FROM delayed WHERE job_id = $2 AND ready_at = $3 AND attempts > 0
    RETURNING *, greatest($4, since + interval '1 microsecond') AS at
), now AS (
    INSERT INTO ready (tenant_id, job_type, sort_key, job_id, run_id, attempts, crashes, max_attempts, max_crashes,
        deadline, has_children, since)
    SELECT tenant_id, job_type, sort_key, job_id, run_id, attempts, crashes, max_attempts, max_crashes, deadline, has_children,
        at
    FROM gone
), told AS (
    INSERT INTO event (tenant_id, event_id, kind, occurred_at, run_id, job_id, attempt, reason, actor, scope)
    SELECT $1, uuid_at(at, $5), 'job.queued', at, run_id, job_id, attempts, 'retried', $6, $7 FROM gone
)
SELECT job_type, sort_key FROM gone
