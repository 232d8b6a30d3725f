-- administration/wal_bytes.sql: bytes of write-ahead log written so far.
SELECT (pg_current_wal_lsn() - '0/0')::bigint AS bytes
