-- gauge/refusals.sql: how many records of sources were refused when they came last, and how many count in part: of $1 rows at
-- most. Runs as orch_sched, across tenants.
SELECT count(*) FILTER (WHERE effect = 'refused') AS refused, count(*) FILTER (WHERE effect = 'partial') AS partial
FROM (SELECT effect FROM refusal LIMIT $1) AS unread
