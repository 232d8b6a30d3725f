-- tenant/lock.sql: tenant $1, kept as it is until the transaction ends.
SELECT tenant_id, name, weight, state, created_at FROM tenant WHERE tenant_id = $1 FOR UPDATE
