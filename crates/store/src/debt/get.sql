-- debt/get.sql: what is owed to the images $1.
SELECT image, packages, first_generation, last_generation, tries, priority, reason, opened_at, due_at, paid_by
FROM impact_debt WHERE image = ANY ($1) ORDER BY image
