-- event/bounds.sql: which history this is (the cluster, and its timeline since the last restore), up to where events are
-- deliverable, and the last one that was trimmed. Of the moment: never under an older snapshot than the page it is
-- read for, because a partition that is dropped is gone for every snapshot.
SELECT system_identifier::text || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) AS history,
    pg_snapshot_xmin(pg_current_snapshot())::text AS horizon, trim.txid::text AS trimmed_txid, trim.event_id AS trimmed_id
FROM pg_control_system() LEFT JOIN event_trim trim ON true
