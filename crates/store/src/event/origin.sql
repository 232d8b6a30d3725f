-- event/origin.sql: the transaction that submitted job $2, or the first job of run $1. The wide row of a job is written once,
-- so that it still names its transaction, by the lower half of its number: no open or ended transaction is 2^32 away.
SELECT (current.txid - ((current.txid - job.xmin::text::bigint) & 4294967295))::text AS txid
FROM (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS txid) current, job
WHERE ($1::uuid IS NULL OR run_id = $1) AND ($2::uuid IS NULL OR job_id = $2)
ORDER BY job_id LIMIT 1
