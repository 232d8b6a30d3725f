-- Acts: what a caller changed, with its audit row and the answer it was given, in the transaction of the change.

CREATE TABLE audit (
    tenant_id uuid NOT NULL,
    txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    audit_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    subject text NOT NULL,
    credential text NOT NULL,
    operation text NOT NULL,
    scope text NOT NULL,
    object_kind text NOT NULL,
    object_id text NOT NULL,
    before_digest bytea CHECK (octet_length(before_digest) = 32),
    after_digest bytea CHECK (octet_length(after_digest) = 32),
    reason text CHECK (length(reason) BETWEEN 1 AND 256),
    ticket text CHECK (length(ticket) BETWEEN 1 AND 128),
    request_id text NOT NULL,
    correlation_id text NOT NULL,
    source text,
    -- Readers follow (txid, audit_id) up to the oldest transaction still open.
    PRIMARY KEY (tenant_id, txid, audit_id)
) PARTITION BY RANGE (audit_id);
COMMENT ON TABLE audit IS 'Who changed what, and why; written with the change, never changed itself';
COMMENT ON COLUMN audit.credential IS 'How the principal proved who it is: a token''s fingerprint, or the id of a key';
COMMENT ON COLUMN audit.before_digest IS 'SHA-256 of the object as it was; NULL when it was not there';
COMMENT ON COLUMN audit.after_digest IS 'SHA-256 of what the caller was answered, or of the object as it is now';
COMMENT ON COLUMN audit.source IS 'The address that the request came from';
SELECT guard('audit');
GRANT SELECT, INSERT ON audit TO orch_app;

CREATE TABLE idempotency (
    tenant_id uuid NOT NULL,
    subject text NOT NULL,
    operation text NOT NULL,
    key_hash bytea NOT NULL CHECK (octet_length(key_hash) = 32),
    request_digest bytea NOT NULL CHECK (octet_length(request_digest) = 32),
    status smallint NOT NULL,
    answer bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, subject, operation, key_hash)
);
COMMENT ON TABLE idempotency IS 'The answer that a keyed request was given; written with its effect, kept for 7 days';
COMMENT ON COLUMN idempotency.key_hash IS 'SHA-256 of the caller''s key';
COMMENT ON COLUMN idempotency.answer IS 'Sealed under the installation secret: some answers hold secrets that are shown once';
SELECT guard('idempotency', '{tenant_id, expires_at}');
CREATE INDEX idempotency_expiry ON idempotency (expires_at); -- Serves idempotency/expired.sql.
GRANT SELECT, INSERT, DELETE ON idempotency TO orch_app;

CREATE OR REPLACE FUNCTION partition_ensure_all(weeks integer) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = orch, pg_temp AS $$
    SELECT partition_ensure('job', least(weeks, 12)) + partition_ensure('attempt', least(weeks, 12))
         + partition_ensure('outcome', least(weeks, 12)) + partition_ensure('event', least(weeks, 12))
         + partition_ensure('audit', least(weeks, 12))
$$;

SELECT partition_ensure_all(4);
