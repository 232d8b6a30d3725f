-- Lines that workers wrote down are dropped once they were kept long enough.

-- Drops the partitions whose lines were all written before a moment, which is at least a week ago, and returns how many.
-- A partition that is being read or written is left for the next time.
CREATE FUNCTION job_logs_trim(tenants uuid[], before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orch, pg_temp SET lock_timeout = '250ms' AS $$
DECLARE
    until CONSTANT uuid := uuid_floor(least(before, clock_timestamp() - interval '7 days'));
    part regclass;
    tenant uuid;
    dropped integer := 0;
BEGIN
    FOR part IN SELECT * FROM partitions_until('job_log', until) LOOP
        -- The table before its part, as readers and writers do.
        LOCK TABLE ONLY job_log IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('DROP TABLE %s', part);
        dropped := dropped + 1;
    END LOOP;
    -- Lines of a time for which there was no partition. The owner sees one tenant at a time, like everybody.
    IF pg_relation_size('job_log_other') > 0 THEN
        FOREACH tenant IN ARRAY tenants LOOP
            PERFORM set_config('app.tenant_id', tenant::text, true);
            DELETE FROM job_log_other WHERE tenant_id = tenant AND log_id < until;
        END LOOP;
        PERFORM set_config('app.tenant_id', '', true);
    END IF;
    RETURN dropped;
EXCEPTION WHEN lock_not_available THEN
    RETURN 0;
END
$$;
REVOKE ALL ON FUNCTION job_logs_trim FROM PUBLIC;
GRANT EXECUTE ON FUNCTION job_logs_trim TO orch_sched;
