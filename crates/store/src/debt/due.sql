-- debt/due.sql: up to $2 debts that are due at $1 and that no run pays, oldest first.
SELECT image, packages, first_generation, last_generation, tries, priority, reason, opened_at, due_at, paid_by
FROM impact_debt WHERE paid_by IS NULL AND due_at <= $1 ORDER BY due_at, image LIMIT $2
