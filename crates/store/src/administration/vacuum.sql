-- administration/vacuum.sql: what autovacuum does after a while, now.
VACUUM (ANALYZE)
