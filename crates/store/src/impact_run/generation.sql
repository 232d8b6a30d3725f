-- impact_run/generation.sql: takes the tenant's next generation.
UPDATE tenant_clock SET next_generation = next_generation + 1 RETURNING next_generation - 1 AS generation
