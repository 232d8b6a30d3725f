-- job/overdue_tenants.sql: tenants with a job past its deadline. Runs as orch_sched, across tenants.
-- A sub-select, because the clock itself is no bound for an index.
SELECT tenant_id FROM waiting WHERE deadline <= (SELECT clock_timestamp())
UNION SELECT tenant_id FROM ready WHERE deadline <= (SELECT clock_timestamp())
UNION SELECT tenant_id FROM delayed WHERE deadline <= (SELECT clock_timestamp())
UNION SELECT tenant_id FROM held WHERE deadline <= (SELECT clock_timestamp())
UNION SELECT tenant_id FROM lease WHERE deadline <= (SELECT clock_timestamp())
ORDER BY tenant_id
