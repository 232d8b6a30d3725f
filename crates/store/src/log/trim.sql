-- log/trim.sql: drops the partitions of lines from before $1, of all tenants; how many. Runs as orch_sched.
SELECT orch.job_logs_trim(ARRAY(SELECT tenant_id FROM orch.tenant), $1) AS dropped
