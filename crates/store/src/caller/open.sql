-- caller/open.sql: binds the transaction to tenant $1 and project $2 (empty: any) and reads its clock, in one round trip
-- with BEGIN. $3 is NULL outside tests, which may set the clock.
SELECT set_config('app.tenant_id', $1, true), set_config('app.project_id', $2, true),
    coalesce($3::timestamptz, clock_timestamp()) AS now
