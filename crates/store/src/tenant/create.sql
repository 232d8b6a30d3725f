-- tenant/create.sql: tenant $1 called $2 with share $3, at $4, and its counters. A repeat changes nothing.
WITH clock AS (INSERT INTO tenant_clock (tenant_id) VALUES ($1) ON CONFLICT (tenant_id) DO NOTHING)
INSERT INTO tenant (tenant_id, name, weight, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id) DO NOTHING
