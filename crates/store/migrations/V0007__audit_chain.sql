-- The audit trail's chain: each row sealed once, in order, under signed checkpoints; and who may seal.

-- Names this installation in what is signed. A function, because it is no tenant's row and never changes.
DO $$
BEGIN
    EXECUTE format('CREATE FUNCTION installation_id() RETURNS uuid LANGUAGE sql IMMUTABLE AS $f$ SELECT %L::uuid $f$',
        gen_random_uuid());
END
$$;
REVOKE ALL ON FUNCTION installation_id FROM PUBLIC;
GRANT EXECUTE ON FUNCTION installation_id TO orch_app;

CREATE TABLE leader (
    tenant_id uuid NOT NULL REFERENCES tenant,
    duty text NOT NULL CHECK (length(duty) BETWEEN 1 AND 64),
    epoch bigint NOT NULL CHECK (epoch > 0),
    holder uuid NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, duty)
) WITH (fillfactor = 50);
COMMENT ON TABLE leader IS 'Which replica does a duty for a tenant; writes that need one writer name its epoch';
COMMENT ON COLUMN leader.epoch IS 'Rises at every take-over, also after a restore: milliseconds since 1970, or one more than the last';
COMMENT ON COLUMN leader.until IS 'The first moment at which another replica may take over';
SELECT guard('leader');
GRANT SELECT, INSERT, UPDATE ON leader TO orch_app;

CREATE TABLE audit_checkpoint (
    tenant_id uuid NOT NULL REFERENCES tenant,
    first bigint NOT NULL CHECK (first > 0),
    size bigint NOT NULL,
    epoch bigint NOT NULL,
    head bytea NOT NULL CHECK (octet_length(head) = 32),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    envelope text NOT NULL,
    txid xid8 NOT NULL,
    audit_id uuid NOT NULL,
    sealed_at timestamptz NOT NULL,
    -- Refuses a second batch in the same place. Serves audit/head.sql, checkpoints.sql, tenants.sql and ended.sql.
    PRIMARY KEY (tenant_id, first),
    CONSTRAINT batch_is_not_empty CHECK (size >= first)
);
COMMENT ON TABLE audit_checkpoint IS 'Signed ends of sealed batches; only ever appended';
COMMENT ON COLUMN audit_checkpoint.first IS 'Sequence number of the batch''s first row';
COMMENT ON COLUMN audit_checkpoint.size IS 'Sequence number of its last row: how many rows are sealed';
COMMENT ON COLUMN audit_checkpoint.head IS 'The chain''s hash at size';
COMMENT ON COLUMN audit_checkpoint.digest IS 'SHA-256 of what is signed';
COMMENT ON COLUMN audit_checkpoint.envelope IS 'DSSE, canonical JSON';
COMMENT ON COLUMN audit_checkpoint.txid IS 'Place of the last row in the order of commits, with audit_id';
SELECT guard('audit_checkpoint', '{tenant_id, first, txid, audit_id}');
GRANT SELECT, INSERT ON audit_checkpoint TO orch_app;

CREATE TABLE audit_seal (
    tenant_id uuid NOT NULL,
    sequence bigint NOT NULL CHECK (sequence > 0),
    txid xid8 NOT NULL,
    audit_id uuid NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    -- Not in partitions, because a number is given once over all time. Serves audit/sealed.sql.
    PRIMARY KEY (tenant_id, sequence),
    -- Refuses to seal a row twice. Serves audit/find.sql and audit/list.sql.
    UNIQUE (tenant_id, audit_id)
);
COMMENT ON TABLE audit_seal IS 'The number and the chain''s hash of each sealed audit row; only ever appended';
SELECT guard('audit_seal');
GRANT SELECT, INSERT ON audit_seal TO orch_app;

-- Serves audit/tenants.sql: which tenant has rows that wait for their seal, and since when.
CREATE POLICY sched ON audit FOR SELECT TO orch_sched USING (true);
GRANT SELECT (tenant_id, txid, audit_id) ON audit TO orch_sched;
-- Serves audit/list.sql and audit/find.sql.
CREATE INDEX audit_recent ON audit (tenant_id, audit_id);
