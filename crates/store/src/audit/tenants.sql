-- audit/tenants.sql: tenants with audit rows that may be sealed. Runs as orch_sched, across tenants. Sub-selects, so that
-- the place bounds the scan of the primary key: all but the newest rows were sealed long ago. Where the last sealed row
-- has a number that is not given out yet, the database was restored from a dump: whoever seals looks for itself.
SELECT tenant.tenant_id FROM tenant
WHERE EXISTS (
    SELECT FROM audit WHERE audit.tenant_id = tenant.tenant_id
      AND audit.txid < pg_snapshot_xmin(pg_current_snapshot())
      AND (audit.txid, audit.audit_id) > (
        coalesce((SELECT place.txid FROM audit_checkpoint place WHERE place.tenant_id = tenant.tenant_id
                  ORDER BY place.first DESC LIMIT 1), '0'::xid8),
        coalesce((SELECT place.audit_id FROM audit_checkpoint place WHERE place.tenant_id = tenant.tenant_id
                  ORDER BY place.first DESC LIMIT 1), '00000000-0000-0000-0000-000000000000')))
  OR (SELECT place.txid FROM audit_checkpoint place WHERE place.tenant_id = tenant.tenant_id
      ORDER BY place.first DESC LIMIT 1) >= pg_snapshot_xmax(pg_current_snapshot())
ORDER BY tenant.tenant_id
