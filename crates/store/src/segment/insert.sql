-- segment/insert.sql: segment $3 of run $2 of tenant $1 evaluates the images $5, for all packages or not ($4).
INSERT INTO segment (tenant_id, run_id, ordinal, scope_all, images) VALUES ($1, $2, $3, $4, $5)
