-- audit/restored.sql: whether transaction $1 is one that this cluster has not begun yet: it was restored from a dump.
SELECT $1::text::xid8 >= pg_snapshot_xmax(pg_current_snapshot()) AS restored
