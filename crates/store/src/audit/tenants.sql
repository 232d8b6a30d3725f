-- audit/tenants.sql: tenants with audit rows that are not sealed. Runs as orch_sched, across tenants. Sub-selects, so that
-- the place bounds the scan of the primary key: all but the newest rows were sealed long ago.
SELECT tenant.tenant_id FROM tenant
WHERE EXISTS (
    SELECT FROM audit WHERE audit.tenant_id = tenant.tenant_id
      AND (audit.txid, audit.audit_id) > (
        coalesce((SELECT place.txid FROM audit_checkpoint place WHERE place.tenant_id = tenant.tenant_id
                  ORDER BY place.txid DESC, place.audit_id DESC LIMIT 1), '0'::xid8),
        coalesce((SELECT place.audit_id FROM audit_checkpoint place WHERE place.tenant_id = tenant.tenant_id
                  ORDER BY place.txid DESC, place.audit_id DESC LIMIT 1), '00000000-0000-0000-0000-000000000000')))
ORDER BY tenant.tenant_id
