-- impact_index/changed.sql: images that changed from transaction $1 on, up to the oldest one still open.
SELECT DISTINCT subject FROM change
WHERE kind = 'image' AND txid >= $1::text::xid8 AND txid < pg_snapshot_xmin(pg_current_snapshot())
