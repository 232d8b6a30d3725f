-- The ledger: what was asked for, what is ready, who holds it, how it ended.
--
-- The wide row of a job is written once. Its state is told by the narrow table it stands in:
-- waiting → blocked, ready and delayed → queued, lease → leased, outcome → ended.

-- The first id of a UUIDv7 drawn at a moment: tables whose key is such an id are partitioned by time.
CREATE FUNCTION uuid_floor(at timestamptz) RETURNS uuid
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Makes the weekly partitions of a table from last week to `weeks` ahead, each behind the tenant wall,
-- and a default one for ids from outside. Runs as the owner, because the service owns nothing.
CREATE FUNCTION partition_ensure(tbl regclass, weeks integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orch, pg_temp AS $$
DECLARE
    week timestamptz;
    child text;
    made integer := 0;
BEGIN
    -- One maker at a time; the names below are what makes a repeat harmless.
    PERFORM pg_advisory_xact_lock(hashtext('orch.partition'), tbl::oid::integer);
    FOR week IN SELECT generate_series(
        date_trunc('week', clock_timestamp() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '1 week',
        clock_timestamp() + weeks * interval '1 week', interval '1 week')
    LOOP
        child := tbl::text || '_' || to_char(week AT TIME ZONE 'UTC', 'IYYY"w"IW');
        IF to_regclass(child) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE TABLE %s PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
                    child, tbl, uuid_floor(week), uuid_floor(week + interval '1 week'));
                PERFORM guard(child::regclass);
                made := made + 1;
            EXCEPTION WHEN check_violation THEN
                -- Rows of that week lie in the default partition already: they stay there, the other weeks go on.
                RAISE WARNING '% cannot be made: the default partition holds rows of that week', child;
            END;
        END IF;
    END LOOP;
    child := tbl::text || '_other';
    IF to_regclass(child) IS NULL THEN
        EXECUTE format('CREATE TABLE %s PARTITION OF %s DEFAULT', child, tbl);
        PERFORM guard(child::regclass);
    END IF;
    RETURN made;
END
$$;
REVOKE ALL ON FUNCTION partition_ensure FROM PUBLIC;
CREATE TABLE run (
    tenant_id uuid NOT NULL REFERENCES tenant,
    run_id uuid NOT NULL,
    trigger text NOT NULL CHECK (trigger IN ('manual', 'schedule', 'backfill', 'delta', 'policy', 'webhook', 'replay')),
    state text NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'partial', 'failed', 'canceled')),
    project_id uuid,
    source text CHECK (length(source) BETWEEN 1 AND 200),
    correlation_id text NOT NULL CHECK (length(correlation_id) BETWEEN 1 AND 128),
    traceparent text CHECK (length(traceparent) = 55),
    jobs_total bigint NOT NULL CHECK (jobs_total >= 0),
    jobs_succeeded bigint NOT NULL DEFAULT 0,
    jobs_failed bigint NOT NULL DEFAULT 0,
    jobs_canceled bigint NOT NULL DEFAULT 0,
    jobs_skipped bigint NOT NULL DEFAULT 0,
    leases_expired bigint NOT NULL DEFAULT 0,
    attempts bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, run_id),
    CONSTRAINT counts_add_up CHECK (jobs_succeeded + jobs_failed + jobs_canceled + jobs_skipped <= jobs_total),
    CONSTRAINT finished_when_ended CHECK ((finished_at IS NOT NULL) = (state IN ('succeeded', 'partial', 'failed', 'canceled')))
) WITH (fillfactor = 70);
COMMENT ON TABLE run IS 'Jobs started together by one cause';
COMMENT ON COLUMN run.attempts IS 'Attempts that have ended, of all its jobs';
COMMENT ON COLUMN run.leases_expired IS 'Attempts that ended because no heartbeat came';
SELECT guard('run');
SELECT guard_project('run');
GRANT SELECT, INSERT, UPDATE ON run TO orch_app;

CREATE TABLE job (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    run_id uuid,
    job_key text NOT NULL CHECK (length(job_key) <= 200),
    job_type text NOT NULL CHECK (length(job_type) BETWEEN 1 AND 100),
    priority text NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'emergency')),
    sort_key bigint NOT NULL,
    payload text NOT NULL CHECK (octet_length(payload) <= 131072),
    payload_digest bytea NOT NULL CHECK (octet_length(payload_digest) = 32),
    max_attempts integer NOT NULL CHECK (max_attempts BETWEEN 1 AND 100),
    max_crashes integer NOT NULL CHECK (max_crashes BETWEEN 1 AND 100),
    not_before timestamptz,
    deadline timestamptz,
    project_id uuid,
    source text CHECK (length(source) BETWEEN 1 AND 200),
    tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 16),
    replay_of uuid,
    correlation_id text NOT NULL CHECK (length(correlation_id) BETWEEN 1 AND 128),
    traceparent text CHECK (length(traceparent) = 55),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, job_id)
) PARTITION BY RANGE (job_id);
COMMENT ON TABLE job IS 'One unit of work, as it was submitted; never changed';
COMMENT ON COLUMN job.job_key IS 'Its name within its run; empty without a run';
COMMENT ON COLUMN job.sort_key IS 'Who goes next: virtual time in microseconds less the head start of its priority';
COMMENT ON COLUMN job.source IS 'The name of the upstream it works for';
COMMENT ON COLUMN job.replay_of IS 'The ended job that it repeats';
COMMENT ON COLUMN job.traceparent IS 'Where its trace began (W3C Trace Context)';
COMMENT ON COLUMN job.payload IS 'JSON text, kept byte for byte: the digest is over it';
-- Serves search/run.sql.
CREATE INDEX job_run ON job (tenant_id, run_id, job_id) WHERE run_id IS NOT NULL;
SELECT guard('job');
SELECT guard_project('job');
GRANT SELECT, INSERT ON job TO orch_app;

CREATE TABLE edge (
    tenant_id uuid NOT NULL,
    run_id uuid NOT NULL,
    parent_id uuid NOT NULL,
    child_id uuid NOT NULL,
    policy text NOT NULL CHECK (policy IN ('require', 'always', 'onFailure')),
    PRIMARY KEY (tenant_id, parent_id, child_id),
    FOREIGN KEY (tenant_id, run_id) REFERENCES run
);
COMMENT ON TABLE edge IS 'Child waits for parent, both of one run';
-- Serves job/get.sql.
CREATE INDEX edge_child ON edge (tenant_id, child_id);
SELECT guard('edge');
GRANT SELECT, INSERT ON edge TO orch_app;

CREATE TABLE waiting (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    run_id uuid NOT NULL,
    job_type text NOT NULL,
    sort_key bigint NOT NULL,
    max_attempts integer NOT NULL,
    max_crashes integer NOT NULL,
    deadline timestamptz,
    has_children boolean NOT NULL,
    not_before timestamptz,
    parents_left integer NOT NULL CHECK (parents_left > 0),
    PRIMARY KEY (tenant_id, job_id)
) WITH (fillfactor = 70);
COMMENT ON TABLE waiting IS 'Jobs that are blocked: some parent has not ended yet';
SELECT guard('waiting', '{tenant_id, deadline}');
CREATE INDEX waiting_deadline ON waiting (deadline) WHERE deadline IS NOT NULL; -- Serves job/overdue.sql.
GRANT SELECT, INSERT, UPDATE, DELETE ON waiting TO orch_app;

CREATE TABLE ready (
    tenant_id uuid NOT NULL,
    job_type text NOT NULL,
    sort_key bigint NOT NULL,
    job_id uuid NOT NULL,
    run_id uuid,
    attempts integer NOT NULL CHECK (attempts < max_attempts),
    crashes integer NOT NULL CHECK (crashes < max_crashes),
    max_attempts integer NOT NULL,
    max_crashes integer NOT NULL,
    deadline timestamptz,
    has_children boolean NOT NULL,
    -- Serves lease/claim.sql: the claim is one range of it.
    PRIMARY KEY (tenant_id, job_type, sort_key, job_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
        autovacuum_vacuum_insert_scale_factor = 0.5, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE ready IS 'Jobs that may start now; the claim deletes them';
COMMENT ON COLUMN ready.attempts IS 'Attempts made so far';
COMMENT ON COLUMN ready.crashes IS 'Attempts that ended because no heartbeat came';
SELECT guard('ready', '{tenant_id, deadline}');
CREATE INDEX ready_deadline ON ready (deadline) WHERE deadline IS NOT NULL; -- Serves job/overdue.sql.
GRANT SELECT, INSERT, UPDATE, DELETE ON ready TO orch_app;

CREATE TABLE delayed (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    job_type text NOT NULL,
    sort_key bigint NOT NULL,
    ready_at timestamptz NOT NULL,
    run_id uuid,
    attempts integer NOT NULL CHECK (attempts < max_attempts),
    crashes integer NOT NULL CHECK (crashes < max_crashes),
    max_attempts integer NOT NULL,
    max_crashes integer NOT NULL,
    deadline timestamptz,
    has_children boolean NOT NULL,
    PRIMARY KEY (tenant_id, job_id)
);
COMMENT ON TABLE delayed IS 'Jobs that may start later: a retry, or not_before';
SELECT guard('delayed', '{tenant_id, job_type, ready_at, deadline}');
CREATE INDEX delayed_due ON delayed (tenant_id, job_type, ready_at); -- Serves lease/promote.sql.
CREATE INDEX delayed_deadline ON delayed (deadline) WHERE deadline IS NOT NULL; -- Serves job/overdue.sql.
GRANT SELECT, INSERT, UPDATE, DELETE ON delayed TO orch_app;

CREATE TABLE worker_session (
    tenant_id uuid NOT NULL,
    session_id uuid NOT NULL,
    worker text NOT NULL CHECK (length(worker) BETWEEN 1 AND 200),
    subject text NOT NULL,
    lease_ms integer NOT NULL CHECK (lease_ms BETWEEN 1000 AND 3600000),
    lease_until timestamptz NOT NULL,
    slots integer CHECK (slots BETWEEN 1 AND 10000),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, session_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE worker_session IS 'One worker process; its heartbeat holds all its leases with one write';
COMMENT ON COLUMN worker_session.subject IS 'The principal that opened it; only the same one may use it';
COMMENT ON COLUMN worker_session.slots IS 'How many jobs the worker does at once, as its last claim said; NULL when it did not say';
SELECT guard('worker_session', '{tenant_id, lease_until, slots}');
CREATE INDEX worker_session_expiry ON worker_session (lease_until); -- Serves session/expired.sql.
GRANT SELECT, INSERT, UPDATE, DELETE ON worker_session TO orch_app;

CREATE SEQUENCE fence; -- Not cached: a cached block would let a later grant have a lower fence.
GRANT USAGE ON SEQUENCE fence TO orch_app;

CREATE TABLE lease (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    fence bigint NOT NULL,
    token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
    session_id uuid NOT NULL,
    granted_at timestamptz NOT NULL,
    job_type text NOT NULL,
    sort_key bigint NOT NULL,
    run_id uuid,
    attempt integer NOT NULL CHECK (attempt BETWEEN 1 AND max_attempts),
    crashes integer NOT NULL CHECK (crashes < max_crashes),
    max_attempts integer NOT NULL,
    max_crashes integer NOT NULL,
    deadline timestamptz,
    has_children boolean NOT NULL,
    PRIMARY KEY (tenant_id, job_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE lease IS 'Attempts under way: at most one a job';
COMMENT ON COLUMN lease.fence IS 'Rises at every grant';
COMMENT ON COLUMN lease.token_hash IS 'SHA-256 of the 128 random bits that only the worker knows';
SELECT guard('lease', '{tenant_id, deadline}');
CREATE INDEX lease_session ON lease (tenant_id, session_id); -- Serves session/leases.sql and session/reap.sql.
CREATE INDEX lease_deadline ON lease (deadline) WHERE deadline IS NOT NULL; -- Serves job/overdue.sql.
GRANT SELECT, INSERT, UPDATE, DELETE ON lease TO orch_app;

CREATE TABLE attempt (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    attempt integer NOT NULL,
    fence bigint NOT NULL,
    token_hash bytea,
    session_id uuid NOT NULL,
    granted_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    cause text NOT NULL CHECK (cause IN ('failed', 'expired', 'released')),
    class text,
    detail text,
    PRIMARY KEY (tenant_id, job_id, fence)
) PARTITION BY RANGE (job_id);
COMMENT ON COLUMN attempt.token_hash IS 'Of the worker whose report ended it, to answer a repeat; NULL when no report did';
COMMENT ON TABLE attempt IS 'Attempts after which the job was queued again; the last one stands in outcome';
SELECT guard('attempt');
GRANT SELECT, INSERT ON attempt TO orch_app;

CREATE TABLE outcome (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('succeeded', 'failed', 'canceled', 'timed_out', 'skipped')),
    attempt integer NOT NULL,
    fence bigint,
    token_hash bytea,
    session_id uuid,
    granted_at timestamptz,
    ended_at timestamptz NOT NULL,
    class text,
    detail text,
    result text CHECK (octet_length(result) <= 65536),
    PRIMARY KEY (tenant_id, job_id),
    CONSTRAINT failed_has_class CHECK ((state = 'failed') = (class IS NOT NULL)),
    CONSTRAINT last_attempt_is_whole CHECK ((fence IS NULL) = (granted_at IS NULL) AND (fence IS NULL) = (session_id IS NULL) AND (fence IS NOT NULL OR token_hash IS NULL))
) PARTITION BY RANGE (job_id);
COMMENT ON COLUMN outcome.token_hash IS 'Of the worker whose report ended it, to answer a repeat; NULL when no report did';
COMMENT ON TABLE outcome IS 'How a job ended, with its last attempt; at most one a job, never changed';
SELECT guard('outcome');
GRANT SELECT, INSERT ON outcome TO orch_app;

CREATE TABLE dead_letter (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    job_type text NOT NULL,
    class text NOT NULL,
    detail text NOT NULL,
    decision text NOT NULL DEFAULT 'open' CHECK (decision IN ('open', 'replayed', 'discarded')),
    opened_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, job_id)
);
COMMENT ON TABLE dead_letter IS 'A job out of attempts, awaiting a person';
SELECT guard('dead_letter');
GRANT SELECT, INSERT, UPDATE ON dead_letter TO orch_app;

CREATE TABLE event (
    tenant_id uuid NOT NULL,
    txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    event_id uuid NOT NULL,
    kind text NOT NULL,
    occurred_at timestamptz NOT NULL,
    run_id uuid,
    job_id uuid,
    attempt integer,
    reason text,
    -- Serves event/page.sql: readers follow (txid, event_id) up to the oldest transaction still open.
    PRIMARY KEY (tenant_id, txid, event_id)
) PARTITION BY RANGE (event_id);
COMMENT ON TABLE event IS 'Everything that happened, in commit order per tenant';
COMMENT ON COLUMN event.txid IS 'The writing transaction: no reader passes one that is still open';
SELECT guard('event');
GRANT SELECT, INSERT ON event TO orch_app;

CREATE TABLE outbox (
    tenant_id uuid NOT NULL,
    outbox_id uuid NOT NULL,
    topic text NOT NULL,
    subject text NOT NULL CHECK (subject ~ '^[A-Za-z0-9_.-]{1,200}$'),
    body bytea NOT NULL,
    created_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    delivered_at timestamptz,
    PRIMARY KEY (tenant_id, outbox_id)
);
COMMENT ON TABLE outbox IS 'Messages to the outside, committed with their cause and delivered at least once';
COMMENT ON COLUMN outbox.subject IS 'Names the message for its receiver; safe as a file name';
SELECT guard('outbox', '{tenant_id, next_at, delivered_at}');
CREATE INDEX outbox_due ON outbox (next_at) WHERE delivered_at IS NULL; -- Serves outbox/due.sql.
GRANT SELECT, INSERT, UPDATE ON outbox TO orch_app;

CREATE TABLE artifact (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    fence bigint NOT NULL,
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9_.-]{1,100}$'),
    media_type text NOT NULL CHECK (length(media_type) BETWEEN 1 AND 100),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    body bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, job_id, fence, name)
);
COMMENT ON TABLE artifact IS 'What an attempt made; it counts once the attempt with its fence was accepted';
SELECT guard('artifact');
GRANT SELECT, INSERT, UPDATE ON artifact TO orch_app;

-- The service may extend these tables and no others.
CREATE FUNCTION partition_ensure_all(weeks integer) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = orch, pg_temp AS $$
    SELECT partition_ensure('job', least(weeks, 12)) + partition_ensure('attempt', least(weeks, 12))
         + partition_ensure('outcome', least(weeks, 12)) + partition_ensure('event', least(weeks, 12))
$$;
REVOKE ALL ON FUNCTION partition_ensure_all FROM PUBLIC;
GRANT EXECUTE ON FUNCTION partition_ensure_all TO orch_sched;

SELECT partition_ensure_all(4);
