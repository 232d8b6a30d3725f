-- debt/list.sql: up to $2 debts after the image $1, by image.
SELECT image, packages, first_generation, last_generation, tries, priority, reason, opened_at, due_at, paid_by
FROM impact_debt WHERE image > $1 ORDER BY image LIMIT $2
