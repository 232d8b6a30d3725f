-- trace/granted.sql: of the jobs $1, since when each has waited after an earlier attempt, and the parents it waited for,
-- $2 at most each. Sent only while traces are recorded.
SELECT asked.job_id,
    (SELECT max(ended_at) FROM attempt WHERE attempt.job_id = asked.job_id) AS tried_at,
    parent.job_id AS parent_id, parent.traceparent AS parent_trace, parent.attempt AS parent_attempt
FROM unnest($1::uuid[]) AS asked (job_id)
LEFT JOIN LATERAL (
    SELECT job.job_id, job.traceparent, outcome.attempt FROM edge
    JOIN job ON job.tenant_id = edge.tenant_id AND job.job_id = edge.parent_id
    JOIN outcome ON outcome.tenant_id = edge.tenant_id AND outcome.job_id = edge.parent_id
    WHERE edge.child_id = asked.job_id AND job.traceparent IS NOT NULL AND outcome.attempt > 0
    ORDER BY job.job_id LIMIT $2
) parent ON true
ORDER BY asked.job_id, parent.job_id
