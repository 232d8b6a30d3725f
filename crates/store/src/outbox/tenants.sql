-- outbox/tenants.sql: tenants with a message that is due. Runs as orch_sched, across tenants.
SELECT DISTINCT tenant_id FROM outbox WHERE delivered_at IS NULL AND next_at <= clock_timestamp() ORDER BY tenant_id
