-- leader/put.sql: $4 does duty $2 for tenant $1 under epoch $3 until $5, unless somebody took over since the row was read.
INSERT INTO leader (tenant_id, duty, epoch, holder, until) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, duty) DO UPDATE SET epoch = excluded.epoch, holder = excluded.holder, until = excluded.until
WHERE leader.epoch < excluded.epoch OR (leader.epoch = excluded.epoch AND leader.holder = excluded.holder)
