-- completion/tenants.sql: tenants with an impact run that has not completed. Runs as orch_sched, across tenants.
SELECT DISTINCT tenant_id FROM impact_run WHERE completed_at IS NULL ORDER BY tenant_id
