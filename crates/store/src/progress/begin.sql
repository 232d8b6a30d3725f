-- progress/begin.sql: the attempts at the jobs $2 of tenant $1 under the fences $3 have begun at $4; $5 are ids for the events.
WITH begun AS (
    UPDATE lease SET started_at = $4
    FROM unnest($2::uuid[], $3::bigint[], $5::uuid[]) AS t (job_id, fence, event_id)
    WHERE lease.job_id = t.job_id AND lease.fence = t.fence AND lease.started_at IS NULL
    RETURNING lease.job_id, lease.run_id, lease.attempt, lease.session_id, t.event_id
)
INSERT INTO event (tenant_id, event_id, kind, occurred_at, run_id, job_id, attempt, actor, scope)
SELECT $1, event_id, 'job.started', $4, run_id, job_id, attempt, session.subject, 'orch:worker'
FROM begun LEFT JOIN worker_session session ON session.tenant_id = $1 AND session.session_id = begun.session_id
