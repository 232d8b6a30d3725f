-- session/expired.sql: tenants with a worker session that no heartbeat holds any more. Runs as orch_sched, across tenants.
-- A sub-select, because the clock itself is no bound for an index.
SELECT DISTINCT tenant_id FROM worker_session WHERE lease_until < (SELECT clock_timestamp()) ORDER BY tenant_id
