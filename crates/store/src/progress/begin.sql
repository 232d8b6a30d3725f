-- progress/begin.sql: the attempts at the jobs $2 of tenant $1 under the fences $3 have begun at $4; $5 are drawn
-- for the ids of the events. The leases are locked: their rows are addressed by place.
WITH begun AS (
    UPDATE lease SET started_at = greatest($4, since + interval '1 microsecond'),
        since = greatest($4, since + interval '1 microsecond')
    WHERE lease.started_at IS NULL AND lease.ctid = ANY (ARRAY(
        SELECT held.place FROM unnest($2::uuid[], $3::bigint[]) AS t (job_id, fence)
        CROSS JOIN LATERAL (
            SELECT ctid AS place FROM lease WHERE tenant_id = $1 AND lease.job_id = t.job_id AND lease.fence = t.fence LIMIT 1
        ) held))
    RETURNING job_id, run_id, attempt, session_id, since
)
INSERT INTO event (tenant_id, txid, event_id, kind, occurred_at, run_id, job_id, attempt, actor, scope)
SELECT $1, (SELECT stream_place()), uuid_at(since, ($5::uuid[])[row_number() OVER (ORDER BY job_id)]), 'job.started', since,
    run_id, job_id, attempt,
    (SELECT subject FROM worker_session WHERE tenant_id = $1 AND session_id = begun.session_id), 'orch:worker'
FROM begun
