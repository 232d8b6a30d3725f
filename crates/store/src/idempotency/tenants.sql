-- idempotency/tenants.sql: tenants with answers that no longer count. Runs as orch_sched, across tenants.
SELECT DISTINCT tenant_id FROM idempotency WHERE expires_at <= (SELECT clock_timestamp()) ORDER BY tenant_id
