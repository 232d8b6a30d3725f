-- debt/of_run.sql: up to $2 debts that the run of generation $1 left first or last; those that no run pays before others. Two
-- reads of an index: an OR of both would read all debts.
SELECT image, packages, first_generation, last_generation, tries, priority, reason, opened_at, due_at, paid_by
FROM (
    SELECT * FROM impact_debt WHERE first_generation = $1
    UNION ALL SELECT * FROM impact_debt WHERE last_generation = $1 AND first_generation <> $1
) debt
ORDER BY paid_by IS NOT NULL, due_at, image LIMIT $2
