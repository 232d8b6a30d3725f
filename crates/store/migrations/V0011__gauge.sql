-- What the gauges of the service are read from: counts and ages across tenants, no payload and no name.

GRANT SELECT (job_id) ON waiting TO orch_sched;
GRANT SELECT (job_id) ON ready TO orch_sched;
GRANT SELECT (job_id) ON delayed TO orch_sched;
GRANT SELECT (job_id) ON held TO orch_sched;
GRANT SELECT (job_id) ON lease TO orch_sched;
GRANT SELECT (created_at) ON outbox TO orch_sched;
GRANT SELECT (run_id, mode) ON impact_run TO orch_sched;

GRANT SELECT (tenant_id, run_id, jobs_total, jobs_succeeded, jobs_failed, jobs_canceled, jobs_skipped) ON run TO orch_sched;
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = 'run'::regclass AND polname = 'sched') THEN
        CREATE POLICY sched ON run FOR SELECT TO orch_sched USING (true);
    END IF;
END
$$;

GRANT SELECT (version) ON refinery_schema_history TO orch_app; -- Serves connect/schema.sql.

-- The age of the oldest snapshot of the server, and nothing else of what others do. It sees the sessions of
-- other roles when the owner is a member of pg_read_all_stats, else only those it may see.
CREATE FUNCTION oldest_snapshot() RETURNS interval
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(max(clock_timestamp() - began), interval '0') FROM (
        SELECT xact_start AS began FROM pg_stat_activity
        WHERE (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL) AND pid <> pg_backend_pid()
        UNION ALL
        SELECT prepared FROM pg_prepared_xacts
    ) AS snapshots
$$;
REVOKE ALL ON FUNCTION oldest_snapshot FROM PUBLIC;
GRANT EXECUTE ON FUNCTION oldest_snapshot TO orch_sched;
