-- run/insert.sql: a run $2 of tenant $1 with trigger $3, project $4, correlation $5 and $6 jobs, at $7, for source $8,
-- in the trace $9.
INSERT INTO run (tenant_id, run_id, trigger, state, project_id, correlation_id, jobs_total, created_at, source, traceparent)
VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $9)
