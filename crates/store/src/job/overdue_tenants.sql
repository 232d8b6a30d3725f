-- job/overdue_tenants.sql: tenants with a job past its deadline. Runs as orch_sched, across tenants.
SELECT tenant_id FROM waiting WHERE deadline <= clock_timestamp()
UNION SELECT tenant_id FROM ready WHERE deadline <= clock_timestamp()
UNION SELECT tenant_id FROM delayed WHERE deadline <= clock_timestamp()
UNION SELECT tenant_id FROM lease WHERE deadline <= clock_timestamp()
ORDER BY tenant_id
