-- gauge/impact.sql: impact runs that have not completed and their segments that have not ended, by mode. Runs as
-- orch_sched, across tenants.
SELECT impact_run.mode, count(*) AS runs,
    sum(run.jobs_total - run.jobs_succeeded - run.jobs_failed - run.jobs_canceled - run.jobs_skipped)::bigint AS segments
FROM impact_run JOIN run USING (tenant_id, run_id)
WHERE impact_run.completed_at IS NULL
GROUP BY impact_run.mode ORDER BY impact_run.mode
