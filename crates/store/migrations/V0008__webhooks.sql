-- Webhooks: addresses outside that are told of events, and each event on its way to each of them.

CREATE TABLE webhook (
    tenant_id uuid NOT NULL REFERENCES tenant,
    webhook_id uuid NOT NULL,
    project_id uuid,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    url text NOT NULL CHECK (octet_length(url) <= 2048),
    event_types text[] NOT NULL CHECK (cardinality(event_types) <= 50),
    job_types text[] NOT NULL CHECK (cardinality(job_types) <= 100),
    run_id uuid,
    state text NOT NULL CHECK (state IN ('active', 'paused')),
    pause_reason text CHECK (pause_reason IN ('operator', 'failing', 'gone')),
    paused_at timestamptz,
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    failing_since timestamptz,
    key_id text NOT NULL,
    secret bytea NOT NULL,
    old_secret bytea,
    old_secret_until timestamptz,
    cursor_txid xid8 NOT NULL,
    cursor_event uuid NOT NULL,
    cursor_epoch bigint,
    missed_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, webhook_id),
    CONSTRAINT paused_for_a_reason CHECK ((state = 'paused') = (pause_reason IS NOT NULL) AND (state = 'paused') = (paused_at IS NOT NULL)),
    CONSTRAINT failing_since_a_moment CHECK ((failures = 0) = (failing_since IS NULL)),
    CONSTRAINT old_secret_ends CHECK ((old_secret IS NULL) = (old_secret_until IS NULL))
) WITH (fillfactor = 50);
COMMENT ON TABLE webhook IS 'An address outside that is told of events';
COMMENT ON COLUMN webhook.project_id IS 'The only project whose events are told; NULL for all';
COMMENT ON COLUMN webhook.event_types IS 'Types and families (job.*) that are told; all when empty';
COMMENT ON COLUMN webhook.pause_reason IS 'Who paused it: an operator, three days of failures, or a receiver that is gone (410)';
COMMENT ON COLUMN webhook.failures IS 'Attempts that failed since the last one that succeeded';
COMMENT ON COLUMN webhook.key_id IS 'Which installation secret sealed the secrets';
COMMENT ON COLUMN webhook.secret IS 'What signs, sealed under the installation secret';
COMMENT ON COLUMN webhook.old_secret IS 'What it replaced, sealed; signs beside it until old_secret_until';
COMMENT ON COLUMN webhook.cursor_txid IS 'With cursor_event: deliveries were made of every event up to here';
COMMENT ON COLUMN webhook.cursor_epoch IS 'The history that the cursor belongs to; NULL before the first event';
COMMENT ON COLUMN webhook.missed_at IS 'When it was last found that events were trimmed before the webhook had seen them';
SELECT guard('webhook', '{tenant_id, webhook_id, state, pause_reason, cursor_txid, cursor_event}');
-- A caller bound to a project sees the webhooks of that project and no others.
CREATE POLICY project ON webhook AS RESTRICTIVE USING (
    nullif(current_setting('app.project_id', true), '') IS NULL
    OR project_id = nullif(current_setting('app.project_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook TO orch_app;

CREATE TABLE webhook_hosts (
    tenant_id uuid PRIMARY KEY REFERENCES tenant,
    hosts text[] NOT NULL CHECK (cardinality(hosts) <= 100),
    updated_at timestamptz NOT NULL
);
COMMENT ON TABLE webhook_hosts IS 'The hosts to which a tenant confines its webhooks; no row or an empty list confines nothing';
SELECT guard('webhook_hosts');
GRANT SELECT, INSERT, UPDATE ON webhook_hosts TO orch_app;

CREATE TABLE delivery (
    tenant_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    event_id uuid,
    event_type text NOT NULL,
    media_type text NOT NULL,
    body bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    tries integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= tries),
    next_at timestamptz,
    created_at timestamptz NOT NULL,
    attempted_at timestamptz,
    ended_at timestamptz,
    status integer CHECK (status BETWEEN 100 AND 999),
    error text,
    PRIMARY KEY (tenant_id, webhook_id, delivery_id),
    CONSTRAINT pending_has_a_time CHECK ((state = 'pending') = (next_at IS NOT NULL)),
    CONSTRAINT ended_has_a_time CHECK ((state = 'pending') = (ended_at IS NULL))
) WITH (fillfactor = 80);
COMMENT ON TABLE delivery IS 'One event on its way to one webhook; its id is the webhook-id that the receiver sees';
COMMENT ON COLUMN delivery.event_id IS 'NULL when somebody asked for a delivery to see whether it arrives';
COMMENT ON COLUMN delivery.body IS 'What is sent: the same bytes at every attempt';
COMMENT ON COLUMN delivery.tries IS 'Attempts since it was last made due by a person';
COMMENT ON COLUMN delivery.next_at IS 'When it is due; while it is being sent, until when nobody else sends it';
COMMENT ON COLUMN delivery.status IS 'HTTP status of the last attempt; NULL when there was no answer';
COMMENT ON COLUMN delivery.error IS 'Why there was no answer, in a word';
SELECT guard('delivery', '{tenant_id, webhook_id, state, next_at, created_at}');
-- Serves delivery/take.sql, delivery/due.sql and delivery/pending.sql.
CREATE INDEX delivery_due ON delivery (tenant_id, webhook_id, next_at, delivery_id) WHERE state = 'pending';
CREATE INDEX delivery_old ON delivery (created_at); -- Serves delivery/old.sql and delivery/remove_old.sql.
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery TO orch_app;

-- Who follows a stream is found by what it has not seen: where events stand, never what they say.
CREATE POLICY webhook_sched ON event FOR SELECT TO orch_sched USING (true);
GRANT SELECT (tenant_id, txid, event_id) ON event TO orch_sched;
