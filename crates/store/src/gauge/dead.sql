-- gauge/dead.sql: dead rows of the tables $1, as the server counts them.
SELECT relname::text AS name, n_dead_tup AS dead FROM pg_stat_user_tables
WHERE schemaname = current_schema AND relname = ANY ($1) ORDER BY relname
