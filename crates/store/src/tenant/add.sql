-- tenant/add.sql: a new tenant $1 called $2 with share $3, at $4, and its counters; none when the name is taken.
WITH made AS (
    INSERT INTO tenant (tenant_id, name, weight, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
    RETURNING tenant_id
)
INSERT INTO tenant_clock (tenant_id) SELECT tenant_id FROM made
