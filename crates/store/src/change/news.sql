-- change/news.sql: whose changes stand at place number $1 or later, at most $2 changes, and the horizon that none of them
-- has passed. Runs as orch_sched, across tenants. In the order of an index, so that history costs nothing.
SELECT change.txid::text AS txid, change.tenant_id
FROM change WHERE change.txid >= $1::text::xid8 AND change.txid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY change.txid LIMIT $2
