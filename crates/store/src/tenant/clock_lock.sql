-- tenant/clock_lock.sql: the tenant's share and counters, locked: the first lock of a transaction that submits.
SELECT clock.virtual_us, clock.next_generation, tenant.weight
FROM tenant_clock clock JOIN tenant USING (tenant_id)
FOR UPDATE OF clock
