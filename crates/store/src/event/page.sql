-- event/page.sql: up to $3 events after the place ($1, $2) in commit order, among the next $4 of the stream: of run $5, of
-- job $6, of the types $7, of project $8 (NULL: any). Never past a transaction still open. The first row's horizon, and
-- how many were looked at up to which place, stand in every row; with nothing found there is one row without an event.
WITH scanned AS MATERIALIZED (
    SELECT tenant_id, txid, event_id, kind, occurred_at, run_id, job_id, attempt, reason, actor, scope, backoff_ms
    FROM event
    WHERE (txid, event_id) > ($1::text::xid8, $2::uuid) AND txid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY txid, event_id LIMIT $4
), kept AS MATERIALIZED (
    SELECT scanned.*, job.job_type, job.payload_digest,
        coalesce(job.project_id, run.project_id) AS project_id,
        coalesce(job.correlation_id, run.correlation_id) AS correlation_id,
        CASE scanned.kind WHEN 'run.finished' THEN run.started_at END AS began_at
    FROM scanned
    -- Looked up one by one: joined, the planner would read all jobs there are to find these few.
    LEFT JOIN LATERAL (
        SELECT job_type, payload_digest, project_id, correlation_id FROM job
        WHERE job.tenant_id = scanned.tenant_id AND job.job_id = scanned.job_id LIMIT 1
    ) job ON true
    LEFT JOIN LATERAL (
        SELECT project_id, correlation_id, started_at FROM run
        WHERE run.tenant_id = scanned.tenant_id AND run.run_id = scanned.run_id LIMIT 1
    ) run ON true
    WHERE ($5::uuid IS NULL OR scanned.run_id = $5) AND ($6::uuid IS NULL OR scanned.job_id = $6)
      AND ($7::text[] IS NULL OR scanned.kind = ANY ($7))
      AND ($8::uuid IS NULL OR coalesce(job.project_id, run.project_id) = $8)
    ORDER BY scanned.txid, scanned.event_id LIMIT $3
)
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS horizon, looked.number AS scanned,
    last.txid::text AS last_txid, last.event_id AS last_id,
    kept.txid::text AS txid, kept.event_id, kept.kind, kept.occurred_at, kept.run_id, kept.job_id, kept.attempt,
    kept.reason, kept.actor, kept.scope, kept.backoff_ms, kept.job_type, kept.payload_digest, kept.project_id,
    kept.correlation_id, held.fence, held.session_id, held.lease_name,
    CASE WHEN kept.kind NOT IN ('job.leased', 'job.started') THEN coalesce(held.granted_at, kept.began_at) END AS began_at
FROM (SELECT count(*) AS number FROM scanned) looked
LEFT JOIN (SELECT txid, event_id FROM scanned ORDER BY txid DESC, event_id DESC LIMIT 1) last ON true
LEFT JOIN kept ON true
-- The attempt that began or ended with the event, wherever it stands by now: it did so at the event's own moment.
LEFT JOIN LATERAL (
    SELECT fence, session_id, granted_at, substr(token_hash, 1, 16) AS lease_name FROM lease
    WHERE kept.attempt IS NOT NULL AND lease.tenant_id = kept.tenant_id AND lease.job_id = kept.job_id
      AND CASE kept.kind WHEN 'job.leased' THEN granted_at WHEN 'job.started' THEN started_at END = kept.occurred_at
    UNION ALL
    SELECT fence, session_id, granted_at, substr(token_hash, 1, 16) FROM attempt
    WHERE kept.attempt IS NOT NULL AND attempt.tenant_id = kept.tenant_id AND attempt.job_id = kept.job_id
      AND CASE kept.kind WHEN 'job.leased' THEN granted_at WHEN 'job.started' THEN started_at ELSE ended_at END
          = kept.occurred_at
    UNION ALL
    SELECT fence, session_id, granted_at, substr(token_hash, 1, 16) FROM outcome
    WHERE kept.attempt IS NOT NULL AND outcome.tenant_id = kept.tenant_id AND outcome.job_id = kept.job_id
      AND CASE kept.kind WHEN 'job.leased' THEN granted_at WHEN 'job.started' THEN started_at ELSE ended_at END
          = kept.occurred_at
    LIMIT 1
) held ON true
ORDER BY kept.txid, kept.event_id
