-- change/tenants.sql: tenants with changes that reader $1 has not seen. Runs as orch_sched, across tenants. Sub-selects,
-- so that the place bounds the scan of the primary key: all but the newest changes were seen long ago.
SELECT tenant.tenant_id FROM tenant
WHERE EXISTS (
    SELECT FROM change WHERE change.tenant_id = tenant.tenant_id
      AND (change.txid, change.change_id) > (
        coalesce((SELECT place.txid FROM change_cursor place
                  WHERE place.tenant_id = tenant.tenant_id AND place.stream = $1), '0'::xid8),
        coalesce((SELECT place.change_id FROM change_cursor place
                  WHERE place.tenant_id = tenant.tenant_id AND place.stream = $1), '00000000-0000-0000-0000-000000000000')))
ORDER BY tenant.tenant_id
