-- The history of jobs goes by the week once it was kept long enough.

-- The bounds of a partition by id: from, and up to.
CREATE FUNCTION partition_bounds(part regclass, OUT low uuid, OUT high uuid)
LANGUAGE sql STABLE SET search_path = orch, pg_temp AS $$
    SELECT substring(bound FROM $r$FROM \('([0-9a-f-]{36})'\)$r$)::uuid, substring(bound FROM $r$TO \('([0-9a-f-]{36})'\)$r$)::uuid
    FROM (SELECT pg_get_expr(relpartbound, oid) AS bound FROM pg_class WHERE oid = part) AS it
$$;
REVOKE ALL ON FUNCTION partition_bounds FROM PUBLIC;

-- Whether something of a tenant keeps the jobs with these ids: one that has not ended, a dead letter that nobody has decided
-- on, or an impact run that has not completed. As the owner, who sees one tenant at a time.
CREATE FUNCTION history_is_held(tenant uuid, low uuid, high uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = orch, pg_temp AS $$
    SELECT EXISTS (SELECT FROM waiting WHERE tenant_id = tenant AND job_id >= low AND job_id < high)
        OR EXISTS (SELECT FROM ready WHERE tenant_id = tenant AND job_id >= low AND job_id < high)
        OR EXISTS (SELECT FROM delayed WHERE tenant_id = tenant AND job_id >= low AND job_id < high)
        OR EXISTS (SELECT FROM held WHERE tenant_id = tenant AND job_id >= low AND job_id < high)
        OR EXISTS (SELECT FROM lease WHERE tenant_id = tenant AND job_id >= low AND job_id < high)
        OR EXISTS (SELECT FROM dead_letter WHERE tenant_id = tenant AND job_id >= low AND job_id < high AND decision = 'open')
        OR EXISTS (SELECT FROM impact_run WHERE tenant_id = tenant AND completed_at IS NULL AND run_id < high)
$$;
REVOKE ALL ON FUNCTION history_is_held FROM PUBLIC;

-- Removes what lies beside the jobs with these ids, up to `most` rows of each kind; returns how many went.
CREATE FUNCTION history_sweep(tenant uuid, low uuid, high uuid, most integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = orch, pg_temp AS $$
DECLARE
    gone bigint;
    swept bigint := 0;
BEGIN
    DELETE FROM artifact WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM artifact WHERE tenant_id = tenant AND job_id >= low AND job_id < high LIMIT most));
    GET DIAGNOSTICS swept = ROW_COUNT;
    DELETE FROM edge WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM edge WHERE tenant_id = tenant AND parent_id >= low AND parent_id < high LIMIT most));
    GET DIAGNOSTICS gone = ROW_COUNT;
    swept := swept + gone;
    DELETE FROM dead_letter WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM dead_letter WHERE tenant_id = tenant AND job_id >= low AND job_id < high LIMIT most));
    GET DIAGNOSTICS gone = ROW_COUNT;
    swept := swept + gone;
    RETURN swept;
END
$$;
REVOKE ALL ON FUNCTION history_sweep FROM PUBLIC;

-- Drops the weeks of jobs that were all submitted before a moment, which is at least a week ago, with their tags, attempts and
-- outcomes. A week that something keeps stays whole. What lies beside a week goes first, a slice with each call: `swept` says
-- how many rows went, `dropped` how many weeks. A week that is being read or written is left for the next time.
CREATE FUNCTION history_trim(tenants uuid[], before timestamptz, most integer, OUT swept bigint, OUT dropped integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orch, pg_temp SET lock_timeout = '250ms' AS $$
DECLARE
    until CONSTANT uuid := uuid_floor(least(before, clock_timestamp() - interval '7 days'));
    week regclass;
    first uuid;
    past uuid;
    tenant uuid;
    is_held boolean;
    name text;
    part regclass;
BEGIN
    swept := 0;
    dropped := 0;
    FOR week IN SELECT * FROM partitions_until('job', until) LOOP
        SELECT low, high INTO first, past FROM partition_bounds(week);
        is_held := false;
        FOREACH tenant IN ARRAY tenants LOOP
            PERFORM set_config('app.tenant_id', tenant::text, true);
            is_held := history_is_held(tenant, first, past);
            EXIT WHEN is_held;
        END LOOP;
        IF NOT is_held THEN
            FOREACH tenant IN ARRAY tenants LOOP
                PERFORM set_config('app.tenant_id', tenant::text, true);
                swept := swept + history_sweep(tenant, first, past, most);
                EXIT WHEN swept > 0;
            END LOOP;
        END IF;
        PERFORM set_config('app.tenant_id', '', true);
        EXIT WHEN swept > 0;
        CONTINUE WHEN is_held;
        BEGIN
            FOREACH name IN ARRAY ARRAY['outcome', 'attempt', 'job_tag', 'job'] LOOP
                -- The table before its part, as readers and writers do.
                EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', name);
                FOR part IN SELECT it FROM partitions_until(name::regclass, past) AS it
                    WHERE (partition_bounds(it)).low >= first
                LOOP
                    EXECUTE format('DROP TABLE %s', part);
                END LOOP;
            END LOOP;
            dropped := dropped + 1;
        EXCEPTION WHEN lock_not_available THEN
            RETURN;
        END;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION history_trim FROM PUBLIC;
GRANT EXECUTE ON FUNCTION history_trim TO orch_sched;
