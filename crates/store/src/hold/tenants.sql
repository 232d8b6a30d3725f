-- hold/tenants.sql: tenants with a source that holds jobs. Runs as orch_sched, across tenants.
SELECT DISTINCT tenant_id FROM source WHERE holds ORDER BY tenant_id
