-- partition/ensure.sql: weekly partitions up to $1 weeks ahead. Runs as orch_sched.
SELECT orch.partition_ensure_all($1) AS made
