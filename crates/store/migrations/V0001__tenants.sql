-- Tenants, and the guard that stands on every table of theirs.

-- Puts the tenant wall on a table: row-level security, forced upon the owner too, under one policy.
-- `sched_columns` are what the cross-tenant loops may read to find out which tenant has work due.
CREATE FUNCTION guard(tbl regclass, sched_columns text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql SET search_path = orch, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tbl);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tbl);
    -- After a SET LOCAL the setting reads as an empty string, not NULL, for the rest of the session.
    EXECUTE format($p$CREATE POLICY tenant ON %s
        USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)$p$, tbl);
    IF sched_columns <> '{}' THEN
        EXECUTE format('CREATE POLICY sched ON %s FOR SELECT TO orch_sched USING (true)', tbl);
        EXECUTE format('GRANT SELECT (%s) ON %s TO orch_sched', array_to_string(sched_columns, ', '), tbl);
    END IF;
END
$$;
REVOKE ALL ON FUNCTION guard FROM PUBLIC;

CREATE TABLE tenant (
    tenant_id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    weight integer NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 1000),
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended')),
    created_at timestamptz NOT NULL
);
COMMENT ON TABLE tenant IS 'Owner of rows; nothing crosses it';
COMMENT ON COLUMN tenant.weight IS 'Share among tenants, from 1';
COMMENT ON COLUMN tenant.state IS 'Of a suspended one, no token is taken and no job is granted';
-- Only the installation makes tenants, so that a name taken reveals nothing to a tenant.
CREATE UNIQUE INDEX tenant_name ON tenant (lower(name));
SELECT guard('tenant', '{tenant_id}');
GRANT SELECT, INSERT, UPDATE (name, weight, state) ON tenant TO orch_app;

-- Hides the rows of other projects from a caller that is bound to one; on top of the tenant wall.
CREATE FUNCTION guard_project(tbl regclass) RETURNS void
LANGUAGE plpgsql SET search_path = orch, pg_temp AS $$
BEGIN
    EXECUTE format($p$CREATE POLICY project ON %s AS RESTRICTIVE
        USING (coalesce(current_setting('app.project_id', true), '') = ''
            OR project_id = nullif(current_setting('app.project_id', true), '')::uuid)$p$, tbl);
END
$$;
REVOKE ALL ON FUNCTION guard_project FROM PUBLIC;

CREATE TABLE project (
    tenant_id uuid NOT NULL REFERENCES tenant,
    project_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 2000),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, project_id)
);
COMMENT ON TABLE project IS 'A division inside a tenant';
COMMENT ON COLUMN project.version IS 'Rises with every change';
CREATE UNIQUE INDEX project_name ON project (tenant_id, lower(name));
SELECT guard('project');
SELECT guard_project('project');
GRANT SELECT, INSERT, UPDATE, DELETE ON project TO orch_app;

-- Apart from `tenant`, because it is written with every submit.
CREATE TABLE tenant_clock (
    tenant_id uuid PRIMARY KEY,
    virtual_us bigint NOT NULL DEFAULT 0,
    next_image bigint NOT NULL DEFAULT 0 CHECK (next_image BETWEEN 0 AND 4294967295),
    next_component bigint NOT NULL DEFAULT 0 CHECK (next_component BETWEEN 0 AND 4294967295),
    next_generation bigint NOT NULL DEFAULT 1
) WITH (fillfactor = 50);
COMMENT ON TABLE tenant_clock IS 'Counters of a tenant';
COMMENT ON COLUMN tenant_clock.virtual_us IS 'Virtual time in microseconds: the sort key of the next job of normal priority';
COMMENT ON COLUMN tenant_clock.next_image IS 'Number of the next image: its bit in the impact index';
COMMENT ON COLUMN tenant_clock.next_component IS 'Number of the next component';
COMMENT ON COLUMN tenant_clock.next_generation IS 'Number of the next impact run';
SELECT guard('tenant_clock');
GRANT SELECT, INSERT, UPDATE ON tenant_clock TO orch_app;

CREATE TABLE source (
    tenant_id uuid NOT NULL REFERENCES tenant,
    source_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, source_id),
    UNIQUE (tenant_id, name)
);
COMMENT ON TABLE source IS 'An upstream that documents come from';
SELECT guard('source');
GRANT SELECT, INSERT ON source TO orch_app;
