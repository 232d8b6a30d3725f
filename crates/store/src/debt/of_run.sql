-- debt/of_run.sql: up to $2 debts that the run of generation $1 left first or last; those that no run pays before others.
SELECT image, packages, first_generation, last_generation, tries, priority, reason, opened_at, due_at, paid_by
FROM impact_debt WHERE first_generation = $1 OR last_generation = $1
ORDER BY paid_by IS NOT NULL, due_at, image LIMIT $2
