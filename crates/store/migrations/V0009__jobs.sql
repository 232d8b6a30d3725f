-- Jobs as they are looked for, watched and worked on.

-- Finding jobs: each filter has an index that is read in the order of the ids.

-- Serves job/get.sql, job/take.sql, search/queued.sql and search/page.sql: a ready job by its id, whatever its sort key is by now.
CREATE UNIQUE INDEX ready_job ON ready (tenant_id, job_id);
-- Serves search/ended.sql. Nearly every job succeeds: those are found by walking the outcomes.
CREATE INDEX outcome_unhappy ON outcome (tenant_id, state, job_id) WHERE state <> 'succeeded';
CREATE INDEX job_type ON job (tenant_id, job_type, job_id); -- Serves search/type.sql.
CREATE INDEX job_source ON job (tenant_id, source, job_id) WHERE source IS NOT NULL; -- Serves search/source.sql.
CREATE INDEX job_project ON job (tenant_id, project_id, job_id) WHERE project_id IS NOT NULL; -- Serves search/project.sql.
CREATE INDEX job_correlation ON job (tenant_id, correlation_id, job_id); -- Serves search/correlation.sql.

CREATE TABLE job_tag (
    tenant_id uuid NOT NULL,
    tag text NOT NULL CHECK (length(tag) BETWEEN 1 AND 64),
    job_id uuid NOT NULL,
    -- Serves search/tag.sql.
    PRIMARY KEY (tenant_id, tag, job_id)
) PARTITION BY RANGE (job_id);
COMMENT ON TABLE job_tag IS 'The tags of jobs the other way round: by tag';
SELECT guard('job_tag');
GRANT SELECT, INSERT ON job_tag TO orch_app;

-- What a worker says while it works.

ALTER TABLE lease
    ADD COLUMN started_at timestamptz,
    ADD COLUMN progress_permille smallint CHECK (progress_permille BETWEEN 0 AND 1000),
    ADD COLUMN progress_note text CHECK (length(progress_note) <= 200),
    ADD COLUMN progress_at timestamptz;
COMMENT ON COLUMN lease.started_at IS 'When its worker said that it has begun; NULL when it did not say';
COMMENT ON COLUMN lease.progress_permille IS 'How far the work is, in thousandths; NULL when the worker did not say';
ALTER TABLE attempt ADD COLUMN started_at timestamptz;
COMMENT ON COLUMN attempt.started_at IS 'When its worker said that it has begun; NULL when it did not say';
ALTER TABLE outcome ADD COLUMN started_at timestamptz;
COMMENT ON COLUMN outcome.started_at IS 'When the worker of the last attempt said that it has begun; NULL when it did not say';

CREATE TABLE job_log (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    log_id uuid NOT NULL,
    attempt integer NOT NULL,
    logged_at timestamptz NOT NULL,
    level text NOT NULL CHECK (level IN ('debug', 'info', 'warn', 'error')),
    line text NOT NULL CHECK (octet_length(line) <= 8192),
    cut boolean NOT NULL,
    -- Serves log/page.sql.
    PRIMARY KEY (tenant_id, job_id, log_id)
) PARTITION BY RANGE (log_id);
COMMENT ON TABLE job_log IS 'What workers wrote down while they worked: tenant data, kept for 14 days';
COMMENT ON COLUMN job_log.logged_at IS 'When it arrived here';
COMMENT ON COLUMN job_log.cut IS 'Whether the line was longer than 8 KiB';
SELECT guard('job_log');
GRANT SELECT, INSERT ON job_log TO orch_app;

-- Claims whose answer got lost.

ALTER TABLE worker_session ADD COLUMN heard_at timestamptz;
COMMENT ON COLUMN worker_session.heard_at IS 'Its last heartbeat; NULL before the first. A claim keeps a session open, but holds no lease';

CREATE TABLE claim_answer (
    tenant_id uuid NOT NULL,
    session_id uuid NOT NULL,
    key_hash bytea NOT NULL CHECK (octet_length(key_hash) = 32),
    request_digest bytea NOT NULL CHECK (octet_length(request_digest) = 32),
    answer bytea NOT NULL,
    answered_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, session_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE claim_answer IS 'What the last claim of a session with an Idempotency-Key was given: a repeat gets it again';
COMMENT ON COLUMN claim_answer.answer IS 'Lease tokens, sealed under the installation secret';
SELECT guard('claim_answer');
GRANT SELECT, INSERT, UPDATE, DELETE ON claim_answer TO orch_app;

-- Every table of time partitions, whoever made it: a migration that adds one need not repeat the others.
CREATE OR REPLACE FUNCTION partition_ensure_all(weeks integer) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = orch, pg_temp AS $$
    SELECT coalesce(sum(partition_ensure(class.oid::regclass, least(weeks, 12))), 0)::integer
    FROM pg_class class
    JOIN pg_partitioned_table ON partrelid = class.oid AND partstrat = 'r'
    JOIN pg_attribute ON attrelid = class.oid AND attnum = partattrs[0] AND atttypid = 'uuid'::regtype
    WHERE relnamespace = 'orch'::regnamespace
$$;
SELECT partition_ensure_all(4);
