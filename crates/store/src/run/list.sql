-- run/list.sql: of the $2 runs between run $7 and run $1, newest first, those in one of the states $3, with trigger $4, of
-- project $5 and for source $6 (NULL: any), at most $8.
WITH looked_at AS MATERIALIZED (
    SELECT * FROM run WHERE run_id < $1 AND run_id > $7 ORDER BY run_id DESC LIMIT $2
)
SELECT run_id, trigger, state, project_id, source, correlation_id, jobs_total, jobs_succeeded, jobs_failed, jobs_canceled,
    jobs_skipped, attempts, leases_expired, created_at, started_at, finished_at, started_at IS NOT NULL AS started
FROM looked_at
WHERE ($3::text[] IS NULL OR state = ANY ($3)) AND ($4::text IS NULL OR trigger = $4)
    AND ($5::uuid IS NULL OR project_id = $5) AND ($6::text IS NULL OR source = $6)
ORDER BY run_id DESC LIMIT $8
