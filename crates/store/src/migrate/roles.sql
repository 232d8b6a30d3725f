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
GRANT orch_owner TO CURRENT_USER;
CREATE SCHEMA IF NOT EXISTS orch AUTHORIZATION orch_owner;
GRANT USAGE ON SCHEMA orch TO orch_app, orch_sched;
