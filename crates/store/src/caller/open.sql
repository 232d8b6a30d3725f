-- caller/open.sql: binds the transaction to tenant $1 and reads its clock, in one round trip with BEGIN.
SELECT set_config('app.tenant_id', $1, true), clock_timestamp() AS now
