-- session/expired.sql: tenants with a worker session that no heartbeat holds any more. Runs as orch_sched, across tenants.
SELECT DISTINCT tenant_id FROM worker_session WHERE lease_until < clock_timestamp() ORDER BY tenant_id
