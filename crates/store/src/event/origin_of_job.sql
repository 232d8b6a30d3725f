-- event/origin_of_job.sql: the transaction that submitted job $1. The wide row of a job is written once, so
-- that it still names its transaction, by the lower half of its number: no transaction that is kept is 2^32 away.
SELECT (current.txid - ((current.txid - job.xmin::text::bigint) & 4294967295))::text AS txid
FROM (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS txid) current, job
WHERE job_id = $1 ORDER BY job_id LIMIT 1
