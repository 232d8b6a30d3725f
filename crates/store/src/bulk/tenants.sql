-- bulk/tenants.sql: tenants with a bulk action that is running. Runs as orch_sched, across tenants.
SELECT DISTINCT tenant_id FROM bulk_action WHERE state = 'running' ORDER BY tenant_id
