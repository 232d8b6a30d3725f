-- act/lock.sql: waits for whoever holds one of the numbers $1, which are sorted, and holds them until the end.
SELECT pg_advisory_xact_lock(number) FROM unnest($1::bigint[]) AS number
