-- impact_index/horizon.sql: every change before this place is visible now.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS txid
