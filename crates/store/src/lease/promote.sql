-- lease/promote.sql: jobs of the types $1 whose time has come at $2 move from delayed to ready, at most $3 of each type.
-- Rows are addressed by place: the planner knows nothing of rows that were just picked. A delayed row that is locked here
-- was not updated since, and its place holds.
WITH due AS MATERIALIZED (
    SELECT late.place FROM unnest($1::text[]) AS wanted (job_type)
    CROSS JOIN LATERAL (
        SELECT ctid AS place FROM delayed WHERE delayed.job_type = wanted.job_type AND ready_at <= $2
        ORDER BY ready_at, job_id LIMIT $3 FOR UPDATE SKIP LOCKED
    ) late
), gone AS (
    DELETE FROM delayed WHERE ctid = ANY (ARRAY(SELECT place FROM due)) RETURNING delayed.*
), moved AS (
    INSERT INTO ready (tenant_id, job_type, sort_key, job_id, run_id, attempts, crashes, max_attempts, max_crashes,
        deadline, has_children, since)
    SELECT tenant_id, job_type, sort_key, job_id, run_id, attempts, crashes, max_attempts, max_crashes, deadline, has_children,
        since
    FROM gone
    RETURNING job_type, sort_key
)
SELECT job_type, min(sort_key) AS sort_key FROM moved GROUP BY job_type
