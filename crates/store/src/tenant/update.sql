-- tenant/update.sql: tenant $1 is called $2 with share $3 and state $4.
UPDATE tenant SET name = $2, weight = $3, state = $4 WHERE tenant_id = $1
