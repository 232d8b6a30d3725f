-- sbom/clock_lock.sql: the tenant's next numbers, locked: the first lock of a transaction that brings in inventory.
SELECT next_image, next_component FROM tenant_clock FOR UPDATE
