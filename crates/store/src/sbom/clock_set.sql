-- sbom/clock_set.sql: sets the tenant's next image number to $1 and its next component number to $2.
UPDATE tenant_clock SET next_image = $1, next_component = $2 WHERE next_image <= $1 AND next_component <= $2
