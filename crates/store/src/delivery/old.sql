-- delivery/old.sql: tenants with deliveries from before $1, of the oldest $2. Runs as orch_sched, across tenants.
SELECT DISTINCT tenant_id FROM (SELECT tenant_id FROM delivery WHERE created_at < $1 ORDER BY created_at LIMIT $2) oldest
ORDER BY tenant_id
