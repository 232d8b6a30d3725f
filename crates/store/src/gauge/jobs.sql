-- gauge/jobs.sql: where jobs stand that have not ended, how many and the oldest of them: of $1 rows at most; when there
-- are more, the number is the planner's estimate. Runs as orch_sched, across tenants.
WITH blocked AS MATERIALIZED (SELECT job_id FROM waiting LIMIT $1),
     able AS MATERIALIZED (SELECT job_id FROM ready LIMIT $1),
     later AS MATERIALIZED (SELECT job_id FROM delayed LIMIT $1),
     halted AS MATERIALIZED (SELECT job_id FROM held LIMIT $1),
     leased AS MATERIALIZED (SELECT job_id FROM lease LIMIT $1),
     place (state, relation, counted, oldest) AS (
        SELECT 'blocked', 'waiting'::regclass, (SELECT count(*) FROM blocked), (SELECT job_id FROM blocked ORDER BY job_id LIMIT 1)
        UNION ALL
        SELECT 'ready', 'ready'::regclass, (SELECT count(*) FROM able), (SELECT job_id FROM able ORDER BY job_id LIMIT 1)
        UNION ALL
        SELECT 'delayed', 'delayed'::regclass, (SELECT count(*) FROM later), (SELECT job_id FROM later ORDER BY job_id LIMIT 1)
        UNION ALL
        SELECT 'held', 'held'::regclass, (SELECT count(*) FROM halted), (SELECT job_id FROM halted ORDER BY job_id LIMIT 1)
        UNION ALL
        SELECT 'leased', 'lease'::regclass, (SELECT count(*) FROM leased), (SELECT job_id FROM leased ORDER BY job_id LIMIT 1)
     )
SELECT place.state, place.oldest,
    CASE WHEN place.counted < $1 THEN place.counted ELSE greatest(place.counted, pg_class.reltuples::bigint) END AS jobs
FROM place JOIN pg_class ON pg_class.oid = place.relation
