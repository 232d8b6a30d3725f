-- outbox/tenants.sql: tenants with a message that is due. Runs as orch_sched, across tenants.
-- A sub-select, because the clock itself is no bound for an index.
SELECT DISTINCT tenant_id FROM outbox WHERE delivered_at IS NULL AND next_at <= (SELECT clock_timestamp()) ORDER BY tenant_id
