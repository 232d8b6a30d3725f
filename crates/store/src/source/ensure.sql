-- source/ensure.sql: the source of tenant $1 called $3, made with id $2 at $4 when there is none.
WITH made AS (
    INSERT INTO source (tenant_id, source_id, name, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant_id, name) DO NOTHING RETURNING source_id
)
SELECT source_id FROM made UNION ALL SELECT source_id FROM source WHERE name = $3 LIMIT 1
