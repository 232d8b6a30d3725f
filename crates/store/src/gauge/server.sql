-- gauge/server.sql: the clock, the outbox (of $1 messages at most) and the oldest snapshot of the server. Runs as
-- orch_sched, across tenants.
WITH pending AS MATERIALIZED (SELECT created_at FROM outbox WHERE delivered_at IS NULL LIMIT $1)
SELECT clock_timestamp() AS now, (SELECT count(*) FROM pending) AS outbox, (SELECT min(created_at) FROM pending) AS outbox_oldest,
    (extract(epoch FROM oldest_snapshot()) * 1000)::bigint AS snapshot_ms
