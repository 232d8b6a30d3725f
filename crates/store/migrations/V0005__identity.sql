-- Identity: credentials taken back, service API keys, and proofs of possession that were seen.

CREATE TABLE revocation (
    tenant_id uuid NOT NULL REFERENCES tenant,
    revocation_id uuid NOT NULL,
    subject text CHECK (length(subject) BETWEEN 1 AND 256),
    not_before timestamptz,
    token_id text CHECK (length(token_id) BETWEEN 1 AND 256),
    created_by text NOT NULL CHECK (length(created_by) BETWEEN 1 AND 256),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
    PRIMARY KEY (tenant_id, revocation_id),
    CONSTRAINT subject_or_token CHECK ((subject IS NULL) <> (token_id IS NULL)),
    CONSTRAINT subject_since_when CHECK ((subject IS NULL) = (not_before IS NULL))
);
COMMENT ON TABLE revocation IS 'Tokens that are refused before they expire';
COMMENT ON COLUMN revocation.subject IS 'Its tokens issued up to not_before are refused';
COMMENT ON COLUMN revocation.token_id IS 'The one token of this jti is refused';
COMMENT ON COLUMN revocation.expires_at IS 'Every token it is about has expired by then';
SELECT guard('revocation');
GRANT SELECT, INSERT, DELETE ON revocation TO orch_app;

CREATE TABLE api_key (
    tenant_id uuid NOT NULL REFERENCES tenant,
    key_id uuid NOT NULL,
    name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    project_id uuid,
    scopes text[] NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 32),
    mac bytea NOT NULL CHECK (octet_length(mac) = 32),
    created_by text NOT NULL CHECK (length(created_by) BETWEEN 1 AND 256),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, key_id),
    -- Its keys end with a project.
    CONSTRAINT api_key_project FOREIGN KEY (tenant_id, project_id) REFERENCES project ON DELETE CASCADE,
    CONSTRAINT lives_a_year_at_most CHECK (expires_at > created_at AND expires_at <= created_at + interval '366 days'),
    CONSTRAINT quota_never_with_worker CHECK (NOT scopes @> ARRAY['orch:quota', 'orch:worker'])
);
COMMENT ON TABLE api_key IS 'Credentials of services; the secret itself is not kept';
COMMENT ON COLUMN api_key.name IS 'The service: its principal is service:<name>';
COMMENT ON COLUMN api_key.mac IS 'HMAC-SHA256 of the whole key under the installation''s secret';
COMMENT ON COLUMN api_key.last_used_at IS 'To the hour';
SELECT guard('api_key');
SELECT guard_project('api_key');
GRANT SELECT, INSERT, UPDATE (last_used_at, revoked_at) ON api_key TO orch_app;

-- A ring of eight slots, one a minute. Unlogged, because a proof is worthless after a minute or two: a
-- crash forgets the proofs of that time, and costs nothing in the log of every request.
CREATE TABLE dpop_proof (
    tenant_id uuid NOT NULL,
    slot smallint NOT NULL,
    proof bytea NOT NULL CHECK (octet_length(proof) = 32),
    PRIMARY KEY (tenant_id, slot, proof)
) PARTITION BY LIST (slot);
COMMENT ON TABLE dpop_proof IS 'Proofs of possession (RFC 9449) that were seen: each counts once';
COMMENT ON COLUMN dpop_proof.slot IS 'The minute since 1970 of its issue, modulo 8';
COMMENT ON COLUMN dpop_proof.proof IS 'SHA-256 over the key''s thumbprint and the proof''s jti';
SELECT guard('dpop_proof');
DO $$
BEGIN
    FOR slot IN 0..7 LOOP
        EXECUTE format('CREATE UNLOGGED TABLE dpop_proof_%s PARTITION OF dpop_proof FOR VALUES IN (%s)', slot, slot);
        PERFORM guard(format('dpop_proof_%s', slot)::regclass);
    END LOOP;
END
$$;
GRANT SELECT, INSERT ON dpop_proof TO orch_app;

-- Empties the slots of four and five minutes ago, which the ring comes to again in three and four. Proofs
-- are taken up to two minutes after their issue and one before, so the rest is room for clocks that differ.
CREATE FUNCTION dpop_proof_trim() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orch, pg_temp AS $$
DECLARE
    minute bigint := floor(extract(epoch FROM clock_timestamp()) / 60)::bigint;
BEGIN
    EXECUTE format('TRUNCATE dpop_proof_%s, dpop_proof_%s', (minute - 4) % 8, (minute - 5) % 8);
END
$$;
REVOKE ALL ON FUNCTION dpop_proof_trim FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dpop_proof_trim TO orch_sched;
