-- history/trim.sql: removes the history of jobs from before $1, of all tenants, at most $2 rows of a kind beside it at once; how
-- many rows and how many weeks. Runs as orch_sched.
SELECT swept, dropped FROM orch.history_trim(ARRAY(SELECT tenant_id FROM orch.tenant), $1, $2)
