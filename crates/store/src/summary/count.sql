-- summary/count.sql: how many jobs are in which state, counted up to $1 each.
SELECT 'blocked' AS state, count(*) AS jobs FROM (SELECT FROM waiting LIMIT $1) counted
UNION ALL SELECT 'queued', (SELECT count(*) FROM (SELECT FROM ready LIMIT $1) counted)
    + (SELECT count(*) FROM (SELECT FROM delayed LIMIT $1) counted)
    + (SELECT count(*) FROM (SELECT FROM held LIMIT $1) counted)
UNION ALL SELECT 'leased', count(*) FROM (SELECT FROM lease LIMIT $1) counted
UNION ALL SELECT 'failed', count(*) FROM (SELECT FROM outcome WHERE state = 'failed' AND state <> 'succeeded' LIMIT $1) counted
UNION ALL SELECT 'canceled', count(*) FROM (SELECT FROM outcome WHERE state = 'canceled' AND state <> 'succeeded' LIMIT $1) counted
UNION ALL SELECT 'timed_out', count(*) FROM (SELECT FROM outcome WHERE state = 'timed_out' AND state <> 'succeeded' LIMIT $1) counted
UNION ALL SELECT 'skipped', count(*) FROM (SELECT FROM outcome WHERE state = 'skipped' AND state <> 'succeeded' LIMIT $1) counted
UNION ALL SELECT 'succeeded', count(*) FROM (SELECT FROM outcome WHERE state = 'succeeded' LIMIT $1) counted
