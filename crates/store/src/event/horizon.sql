-- event/horizon.sql: the oldest transaction that is still open.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS horizon
