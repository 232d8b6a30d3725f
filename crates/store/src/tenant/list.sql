-- tenant/list.sql: tenants after $1, at most $2; the one with id $3 only (NULL: all); suspended ones or others $4 (NULL:
-- both). Of all tenants for the installation; of the caller's own for everybody else.
SELECT tenant_id, name, weight, state, created_at FROM tenant
WHERE tenant_id > $1 AND ($3::uuid IS NULL OR tenant_id = $3) AND ($4::boolean IS NULL OR (state = 'suspended') = $4)
ORDER BY tenant_id LIMIT $2
