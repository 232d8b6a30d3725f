-- gauge/server.sql: the clock, the outbox and the deliveries that wait (of $1 rows at most each), the workers that are alive,
-- and the oldest snapshot of the server. Runs as orch_sched, across tenants.
WITH pending AS MATERIALIZED (SELECT created_at FROM outbox WHERE delivered_at IS NULL LIMIT $1),
     sending AS MATERIALIZED (SELECT created_at FROM delivery WHERE state = 'pending' LIMIT $1),
     alive AS MATERIALIZED (SELECT slots FROM worker_session WHERE lease_until > (SELECT clock_timestamp()))
SELECT clock_timestamp() AS now, (SELECT count(*) FROM pending) AS outbox, (SELECT min(created_at) FROM pending) AS outbox_oldest,
    (SELECT count(*) FROM sending) AS deliveries, (SELECT min(created_at) FROM sending) AS deliveries_oldest,
    (SELECT count(*) FROM alive) AS workers, (SELECT coalesce(sum(slots), 0) FROM alive) AS slots,
    (extract(epoch FROM oldest_snapshot()) * 1000)::bigint AS snapshot_ms
