-- audit/ended.sql: the last sealed row of each tenant, by its place. Runs as orch_sched, across tenants.
SELECT tenant.tenant_id, place.txid::text, place.audit_id FROM tenant
CROSS JOIN LATERAL (SELECT txid, audit_id FROM audit_checkpoint WHERE audit_checkpoint.tenant_id = tenant.tenant_id
    ORDER BY audit_checkpoint.first DESC LIMIT 1) AS place
ORDER BY tenant.tenant_id
