-- gauge/debts.sql: how many images that impact runs left out wait, how many a run evaluates now, and when the oldest was left
-- first: of $1 rows at most. Runs as orch_sched, across tenants.
SELECT count(*) FILTER (WHERE paid_by IS NULL) AS waiting, count(*) FILTER (WHERE paid_by IS NOT NULL) AS paying,
    min(opened_at) AS oldest
FROM (SELECT paid_by, opened_at FROM impact_debt LIMIT $1) AS debt
