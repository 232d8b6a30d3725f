-- migrate/roles.sql: the roles and the schema, made by an administrator before the first migration; repeatable.
-- orch_owner owns everything and cannot log in; orch_app serves tenants; orch_sched finds which tenant has work due.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['orch_owner', 'orch_app', 'orch_sched'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE', name);
        END IF;
    END LOOP;
    -- Two processes may migrate at once: the loser of the race finds the role there.
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
ALTER ROLE orch_app LOGIN;
ALTER ROLE orch_sched LOGIN;
ALTER ROLE orch_owner SET search_path = orch;
ALTER ROLE orch_app SET search_path = orch;
ALTER ROLE orch_sched SET search_path = orch;
ALTER ROLE orch_app SET jit = off;
-- Every statement of the service is a bounded look-up over indexes. A plan is made once for a connection, also before there
-- are statistics, and must be as good when they are there: no plan for each call, no scan of a table that is small today, and
-- no bitmap of all rows of a tenant.
ALTER ROLE orch_app SET plan_cache_mode = force_generic_plan;
ALTER ROLE orch_app SET enable_seqscan = off;
ALTER ROLE orch_app SET enable_bitmapscan = off;
-- A replica that freezes in the middle of a transaction must not hold locks for ever; every statement is bounded. Idle
-- for longer than a statement may take, because completing a large run computes within its transaction.
ALTER ROLE orch_app SET statement_timeout = '15s';
-- Also how long a request waits for its twin under the same idempotency key.
ALTER ROLE orch_app SET lock_timeout = '2s';
ALTER ROLE orch_app SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE orch_sched SET statement_timeout = '5s';
-- A background pass comes again: it does not stand in a queue before a lock, least of all with others behind it.
ALTER ROLE orch_sched SET lock_timeout = '1s';
ALTER ROLE orch_sched SET idle_in_transaction_session_timeout = '5s';
GRANT orch_owner TO CURRENT_USER;
-- For oldest_snapshot() only, which tells one age and nothing else. An administrator who may not grant it loses that
-- gauge's view of other roles' sessions.
DO $$
BEGIN
    GRANT pg_read_all_stats TO orch_owner;
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE NOTICE 'pg_read_all_stats is not granted: the oldest snapshot is that of our own sessions';
END
$$;
CREATE SCHEMA IF NOT EXISTS orch AUTHORIZATION orch_owner;
GRANT USAGE ON SCHEMA orch TO orch_app, orch_sched;
