-- tenant/clock_set.sql: moves the tenant's virtual time to $1.
UPDATE tenant_clock SET virtual_us = $1 WHERE virtual_us <= $1
