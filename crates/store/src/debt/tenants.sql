-- debt/tenants.sql: tenants with a debt that is due at $1 (NULL: now) and that no run pays. Runs as orch_sched, across
-- tenants. From tenant to tenant by the index: two probes for each that owes something, however much it owes.
WITH RECURSIVE owing (tenant_id) AS (
    (SELECT first.tenant_id FROM impact_debt first WHERE first.paid_by IS NULL ORDER BY first.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT next.tenant_id FROM impact_debt next WHERE next.paid_by IS NULL AND next.tenant_id > owing.tenant_id
            ORDER BY next.tenant_id LIMIT 1)
    FROM owing WHERE owing.tenant_id IS NOT NULL
)
SELECT owing.tenant_id FROM owing
WHERE owing.tenant_id IS NOT NULL AND EXISTS (
    SELECT FROM impact_debt due WHERE due.tenant_id = owing.tenant_id AND due.paid_by IS NULL
      AND due.due_at <= (SELECT coalesce($1::timestamptz, clock_timestamp())))
ORDER BY owing.tenant_id
