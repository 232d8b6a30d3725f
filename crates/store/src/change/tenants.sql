-- change/tenants.sql: tenants with changes that reader $1 has not seen. Runs as orch_sched, across tenants.
SELECT tenant.tenant_id FROM tenant
LEFT JOIN change_cursor place ON place.tenant_id = tenant.tenant_id AND place.stream = $1
WHERE EXISTS (
    SELECT FROM change WHERE change.tenant_id = tenant.tenant_id
      AND (place.txid IS NULL OR (change.txid, change.change_id) > (place.txid, place.change_id)))
ORDER BY tenant.tenant_id
