-- run/insert.sql: a run $2 of tenant $1 with trigger $3, project $4, correlation $5 and $6 jobs, at $7.
INSERT INTO run (tenant_id, run_id, trigger, state, project_id, correlation_id, jobs_total, created_at)
VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7)
