-- finding/lock.sql: one writer of the findings of tenant $1 at a time: their sets are read, changed and written back.
SELECT pg_advisory_xact_lock(hashtext('orch.finding'), hashtext($1))
