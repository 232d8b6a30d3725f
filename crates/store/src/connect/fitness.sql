-- connect/fitness.sql: why this role on this server must not be used, or NULL.
SELECT CASE
    WHEN current_setting('server_version_num')::integer < 150000
        THEN 'PostgreSQL ' || current_setting('server_version') || ' is too old: 15 or newer is needed'
    WHEN role.rolsuper OR role.rolbypassrls
        THEN 'the role ' || current_user || ' passes row-level security: connect as orch_app (and orch_sched)'
    WHEN to_regclass('orch.tenant') IS NULL
        THEN 'the database has no ledger yet: run `jobengine migrate`'
    WHEN (SELECT tableowner FROM pg_tables WHERE schemaname = 'orch' AND tablename = 'tenant') = current_user
        THEN 'the role ' || current_user || ' owns the ledger: connect as orch_app (and orch_sched)'
    WHEN current_setting('synchronous_commit') NOT IN ('on', 'remote_apply', 'remote_write', 'local')
        THEN 'synchronous_commit is ' || current_setting('synchronous_commit') || ': an answered request could be lost; set it to on'
    WHEN current_setting('full_page_writes') = 'off' AND current_setting('fsync') = 'on'
        THEN 'full_page_writes is off: a crash could damage the ledger; set it to on'
END AS complaint
FROM pg_roles role WHERE role.rolname = current_user
