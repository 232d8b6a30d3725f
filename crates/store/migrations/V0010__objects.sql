-- The objects of the service in full: images that leave the fleet, sources that are paused, decided dead letters,
-- actions on many things at once.

ALTER TABLE image ADD COLUMN removed_at timestamptz;
COMMENT ON COLUMN image.removed_at IS 'When it left the fleet; its row stays, because runs that evaluated it can be read again';
CREATE INDEX image_sbom ON image (tenant_id, sbom_digest); -- Serves sbom/list.sql.
CREATE INDEX component_package ON component (tenant_id, package_key) WHERE package_key IS NOT NULL; -- Serves image/list.sql.

ALTER TABLE source
    ADD COLUMN kind text NOT NULL DEFAULT 'other' CHECK (kind ~ '^[a-z0-9][a-z0-9.-]{0,49}$'),
    ADD COLUMN url text CHECK (octet_length(url) <= 2048),
    ADD COLUMN host text CHECK (octet_length(host) BETWEEN 1 AND 253),
    ADD COLUMN description text NOT NULL DEFAULT '' CHECK (length(description) <= 2000),
    ADD COLUMN enabled boolean NOT NULL DEFAULT true,
    ADD COLUMN version bigint NOT NULL DEFAULT 1,
    ADD COLUMN paused_at timestamptz,
    ADD COLUMN pause_reason text CHECK (length(pause_reason) BETWEEN 1 AND 256),
    ADD COLUMN holds boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT paused_with_reason CHECK ((paused_at IS NULL) = (pause_reason IS NULL)),
    ADD CONSTRAINT paused_holds CHECK (paused_at IS NULL OR holds);
COMMENT ON COLUMN source.kind IS 'What it offers: osv, openvex, kev, …';
COMMENT ON COLUMN source.host IS 'The host of its url, in lower case';
COMMENT ON COLUMN source.enabled IS 'Whether documents and jobs are taken for it; what is queued goes on';
COMMENT ON COLUMN source.version IS 'Rises with every change';
COMMENT ON COLUMN source.paused_at IS 'Since when nothing is taken, and no job granted, for it';
COMMENT ON COLUMN source.holds IS 'Whether jobs of it may stand in held: while it is paused, and until they were released';
CREATE INDEX source_paused ON source (tenant_id) WHERE paused_at IS NOT NULL; -- Serves lease/claim.sql.
CREATE INDEX source_holds ON source (tenant_id) WHERE holds; -- Serves hold/tenants.sql.
CREATE POLICY sched ON source FOR SELECT TO orch_sched USING (true);
GRANT SELECT (tenant_id, holds) ON source TO orch_sched;
GRANT UPDATE, DELETE ON source TO orch_app;

CREATE TABLE held (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    source text NOT NULL,
    job_type text NOT NULL,
    sort_key bigint NOT NULL,
    run_id uuid,
    attempts integer NOT NULL CHECK (attempts < max_attempts),
    crashes integer NOT NULL CHECK (crashes < max_crashes),
    max_attempts integer NOT NULL,
    max_crashes integer NOT NULL,
    deadline timestamptz,
    has_children boolean NOT NULL,
    PRIMARY KEY (tenant_id, job_id)
);
COMMENT ON TABLE held IS 'Jobs that might start now but for their source, which is paused: out of the way of the claim';
CREATE INDEX held_source ON held (tenant_id, source, sort_key); -- Serves hold/release.sql.
CREATE INDEX held_deadline ON held (deadline) WHERE deadline IS NOT NULL; -- Serves job/overdue.sql.
SELECT guard('held', '{tenant_id, deadline}');
GRANT SELECT, INSERT, UPDATE, DELETE ON held TO orch_app;

ALTER TABLE dead_letter
    ADD COLUMN signature text NOT NULL DEFAULT '' CHECK (length(signature) <= 200),
    ADD COLUMN owner text CHECK (length(owner) BETWEEN 1 AND 200),
    ADD COLUMN decided_at timestamptz,
    ADD COLUMN decided_by text,
    ADD COLUMN reason text CHECK (length(reason) BETWEEN 1 AND 256),
    ADD COLUMN replay_id uuid,
    ADD COLUMN payload_diff text,
    ADD CONSTRAINT decided_is_whole CHECK ((decision = 'open') = (decided_at IS NULL) AND (decision = 'open') = (decided_by IS NULL)
        AND (decision = 'replayed') = (replay_id IS NOT NULL) AND (payload_diff IS NULL OR decision = 'replayed'));
COMMENT ON COLUMN dead_letter.signature IS 'The detail with its variables masked: alike for failures of one cause';
COMMENT ON COLUMN dead_letter.owner IS 'Who looks after it';
COMMENT ON COLUMN dead_letter.replay_id IS 'The job that repeats this one';
COMMENT ON COLUMN dead_letter.payload_diff IS 'What the replay''s payload has otherwise, as JSON';
-- Serves dead_letter/stats.sql and bulk/letters.sql.
CREATE INDEX dead_letter_open ON dead_letter (tenant_id, class, job_type, signature, job_id) WHERE decision = 'open';

CREATE TABLE bulk_action (
    tenant_id uuid NOT NULL REFERENCES tenant,
    bulk_id uuid NOT NULL,
    action text NOT NULL CHECK (action IN ('cancel', 'retry', 'replay', 'prioritize', 'discard')),
    target text NOT NULL CHECK (target IN ('jobs', 'deadLetters')),
    filter text NOT NULL,
    priority text CHECK (priority IN ('low', 'normal', 'high', 'emergency')),
    plan_digest bytea NOT NULL CHECK (octet_length(plan_digest) = 32),
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'succeeded', 'canceled')),
    total bigint NOT NULL CHECK (total >= 0),
    done bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    subject text NOT NULL,
    credential text NOT NULL,
    scope text NOT NULL,
    reason text,
    ticket text,
    request_id text NOT NULL,
    correlation_id text NOT NULL,
    address text,
    project_id uuid,
    PRIMARY KEY (tenant_id, bulk_id),
    CONSTRAINT counts_add_up CHECK (done + failed <= total),
    CONSTRAINT finished_when_ended CHECK ((finished_at IS NULL) = (state = 'running'))
);
COMMENT ON TABLE bulk_action IS 'One action on many things, carried out in slices as whoever asked for it';
COMMENT ON COLUMN bulk_action.plan_digest IS 'SHA-256 over action, filter and the ids it was confirmed for';
COMMENT ON COLUMN bulk_action.failed IS 'Things that no longer were what the action needs when their turn came';
CREATE INDEX bulk_action_running ON bulk_action (tenant_id) WHERE state = 'running'; -- Serves bulk/tenants.sql.
SELECT guard('bulk_action', '{tenant_id, state}');
SELECT guard_project('bulk_action');
GRANT SELECT, INSERT, UPDATE ON bulk_action TO orch_app;

CREATE TABLE bulk_slice (
    tenant_id uuid NOT NULL,
    bulk_id uuid NOT NULL,
    ordinal integer NOT NULL CHECK (ordinal >= 0),
    items uuid[] NOT NULL CHECK (cardinality(items) BETWEEN 1 AND 1000),
    PRIMARY KEY (tenant_id, bulk_id, ordinal),
    FOREIGN KEY (tenant_id, bulk_id) REFERENCES bulk_action
);
COMMENT ON TABLE bulk_slice IS 'What is left to do of a bulk action: the things it was confirmed for, some at a time';
SELECT guard('bulk_slice');
GRANT SELECT, INSERT, DELETE ON bulk_slice TO orch_app;

-- The installation's own tenant, whose administrators make the others. The wall stands for the owner too.
SELECT set_config('app.tenant_id', '00000000-0000-7000-8000-000000000000', true);
INSERT INTO tenant (tenant_id, name, created_at)
VALUES ('00000000-0000-7000-8000-000000000000', 'installation', clock_timestamp());
INSERT INTO tenant_clock (tenant_id) VALUES ('00000000-0000-7000-8000-000000000000');
SELECT set_config('app.tenant_id', '', true);

-- Transactions of the installation see and change every tenant's own row, and nothing else of a tenant.
CREATE FUNCTION is_installation() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT current_setting('app.tenant_id', true) = '00000000-0000-7000-8000-000000000000'
$$;
CREATE POLICY installation ON tenant TO orch_app USING (orch.is_installation());
CREATE POLICY installation ON tenant_clock FOR INSERT TO orch_app WITH CHECK (orch.is_installation());
