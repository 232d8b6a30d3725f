-- Impact: inventory, change streams, what runs were planned from, and what they found.

CREATE TABLE document (
    tenant_id uuid NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    kind text NOT NULL CHECK (kind IN ('sbom', 'advisory', 'kev', 'vex')),
    body bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);
COMMENT ON TABLE document IS 'Foreign documents, each version once, named by content';
COMMENT ON COLUMN document.body IS 'An SBOM as it came; of all others the facts read from it, as canonical JSON';
SELECT guard('document');
GRANT SELECT, INSERT ON document TO orch_app;

CREATE TABLE component (
    tenant_id uuid NOT NULL,
    component_no bigint NOT NULL,
    purl text NOT NULL,
    facts text NOT NULL,
    facts_digest bytea NOT NULL CHECK (octet_length(facts_digest) = 32),
    package_key text,
    version text,
    PRIMARY KEY (tenant_id, component_no),
    -- Serves sbom/components.sql. A purl may be too long for an index row; its digest is not.
    UNIQUE (tenant_id, facts_digest)
);
COMMENT ON TABLE component IS 'Distinct components of all SBOMs';
COMMENT ON COLUMN component.facts IS 'Canonical JSON of the component: purl, and the package it names or why it cannot be judged';
SELECT guard('component');
GRANT SELECT, INSERT ON component TO orch_app;

CREATE TABLE sbom (
    tenant_id uuid NOT NULL,
    digest bytea NOT NULL,
    format text NOT NULL,
    components bigint[] NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, digest),
    FOREIGN KEY (tenant_id, digest) REFERENCES document
);
COMMENT ON TABLE sbom IS 'What an SBOM lists: numbers of components, in its order';
SELECT guard('sbom');
GRANT SELECT, INSERT ON sbom TO orch_app;

CREATE TABLE image (
    tenant_id uuid NOT NULL,
    image_no bigint NOT NULL CHECK (image_no BETWEEN 0 AND 4294967295),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    repository text NOT NULL DEFAULT '',
    tags text[] NOT NULL DEFAULT '{}',
    namespace text NOT NULL DEFAULT '',
    used_by_entrypoint boolean,
    sbom_digest bytea NOT NULL,
    evaluated_sbom bytea,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, image_no),
    UNIQUE (tenant_id, digest),
    FOREIGN KEY (tenant_id, sbom_digest) REFERENCES sbom
);
COMMENT ON TABLE image IS 'Images of the fleet';
COMMENT ON COLUMN image.image_no IS 'Its bit in every bitmap';
COMMENT ON COLUMN image.evaluated_sbom IS 'The SBOM its findings were computed from';
SELECT guard('image');
GRANT SELECT, INSERT, UPDATE ON image TO orch_app;

CREATE TABLE advisory (
    tenant_id uuid NOT NULL,
    source_id uuid NOT NULL,
    advisory_id text NOT NULL CHECK (length(advisory_id) BETWEEN 1 AND 300),
    digest bytea NOT NULL,
    group_key text NOT NULL,
    modified text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, source_id, advisory_id),
    FOREIGN KEY (tenant_id, source_id) REFERENCES source,
    FOREIGN KEY (tenant_id, digest) REFERENCES document
);
COMMENT ON TABLE advisory IS 'The advisories that stand now, by source';
-- Serves finding/groups.sql. By hash: a record about many CVEs has a long name.
CREATE INDEX advisory_group ON advisory USING hash (group_key);
SELECT guard('advisory');
GRANT SELECT, INSERT, UPDATE, DELETE ON advisory TO orch_app;

CREATE TABLE advisory_package (
    tenant_id uuid NOT NULL,
    package_key text NOT NULL,
    source_id uuid NOT NULL,
    advisory_id text NOT NULL,
    PRIMARY KEY (tenant_id, package_key, source_id, advisory_id)
);
COMMENT ON TABLE advisory_package IS 'Which packages an advisory speaks of';
CREATE INDEX advisory_package_advisory ON advisory_package (tenant_id, source_id, advisory_id); -- Serves advisory/unlink.sql.
SELECT guard('advisory_package');
GRANT SELECT, INSERT, DELETE ON advisory_package TO orch_app;

CREATE TABLE advisory_flaw (
    tenant_id uuid NOT NULL,
    flaw text NOT NULL,
    source_id uuid NOT NULL,
    advisory_id text NOT NULL,
    PRIMARY KEY (tenant_id, flaw, source_id, advisory_id)
);
COMMENT ON TABLE advisory_flaw IS 'Under which names a flaw is known: id, aliases and upstream of an advisory';
CREATE INDEX advisory_flaw_advisory ON advisory_flaw (tenant_id, source_id, advisory_id); -- Serves advisory/unlink.sql.
SELECT guard('advisory_flaw');
GRANT SELECT, INSERT, DELETE ON advisory_flaw TO orch_app;

CREATE TABLE kev (
    tenant_id uuid PRIMARY KEY,
    digest bytea NOT NULL,
    changed_at timestamptz NOT NULL,
    FOREIGN KEY (tenant_id, digest) REFERENCES document
);
COMMENT ON TABLE kev IS 'The catalogue of known exploited vulnerabilities that stands now';
SELECT guard('kev');
GRANT SELECT, INSERT, UPDATE ON kev TO orch_app;

CREATE TABLE vex (
    tenant_id uuid NOT NULL,
    source_id uuid NOT NULL,
    document_id text NOT NULL CHECK (length(document_id) BETWEEN 1 AND 500),
    digest bytea NOT NULL,
    PRIMARY KEY (tenant_id, source_id, document_id),
    FOREIGN KEY (tenant_id, source_id) REFERENCES source,
    FOREIGN KEY (tenant_id, digest) REFERENCES document
);
COMMENT ON TABLE vex IS 'The VEX documents that stand now; their statements are the facts of the document';
SELECT guard('vex');
GRANT SELECT, INSERT, UPDATE, DELETE ON vex TO orch_app;

CREATE TABLE change (
    tenant_id uuid NOT NULL,
    txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    change_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('image', 'advisory', 'kev', 'vex')),
    source_id uuid,
    subject text NOT NULL,
    before bytea,
    after bytea,
    traceparent text CHECK (length(traceparent) = 55),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, txid, change_id)
);
COMMENT ON TABLE change IS 'The change stream: every change of inventory or knowledge, in commit order';
COMMENT ON COLUMN change.subject IS 'Image digest, advisory id, `catalogue` (KEV) or VEX document id';
COMMENT ON COLUMN change.before IS 'Digest of the document before; NULL when there was none';
COMMENT ON COLUMN change.after IS 'Digest of the document after; NULL when it is gone';
COMMENT ON COLUMN change.traceparent IS 'The request that brought the news (W3C Trace Context)';
SELECT guard('change', '{tenant_id, txid, change_id}');
GRANT SELECT, INSERT ON change TO orch_app;

CREATE TABLE change_cursor (
    tenant_id uuid NOT NULL,
    stream text NOT NULL,
    txid xid8 NOT NULL DEFAULT '0',
    change_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    PRIMARY KEY (tenant_id, stream)
);
COMMENT ON TABLE change_cursor IS 'How far a reader of the change stream has come';
SELECT guard('change_cursor', '{tenant_id, stream, txid, change_id}');
GRANT SELECT, INSERT, UPDATE ON change_cursor TO orch_app;

CREATE TABLE impact_run (
    tenant_id uuid NOT NULL,
    run_id uuid NOT NULL,
    generation bigint NOT NULL,
    mode text NOT NULL CHECK (mode IN ('analysisOnly', 'contentRefresh')),
    priority text NOT NULL,
    plan_digest bytea NOT NULL,
    inputs_digest bytea NOT NULL,
    packages text[] NOT NULL,
    segments integer NOT NULL,
    images_impacted bigint NOT NULL,
    images_total bigint NOT NULL,
    advisories_changed bigint NOT NULL,
    created_at timestamptz NOT NULL,
    completed_at timestamptz,
    delta text,
    deltas text,
    envelope text,
    PRIMARY KEY (tenant_id, run_id),
    UNIQUE (tenant_id, generation),
    FOREIGN KEY (tenant_id, run_id) REFERENCES run,
    CONSTRAINT completed_is_whole CHECK ((completed_at IS NULL) = (delta IS NULL) AND (completed_at IS NULL) = (envelope IS NULL))
);
COMMENT ON TABLE impact_run IS 'Runs that evaluate images, each a generation of the findings';
COMMENT ON COLUMN impact_run.packages IS 'The packages that segments without scopeAll evaluate';
COMMENT ON COLUMN impact_run.delta IS 'Five numbers as JSON: new, fixed, critical, high, kev';
COMMENT ON COLUMN impact_run.deltas IS 'The same per image, as JSON sorted by digest';
COMMENT ON COLUMN impact_run.envelope IS 'The signed completion event';
SELECT guard('impact_run', '{tenant_id, completed_at}');
CREATE INDEX impact_run_open ON impact_run (tenant_id, generation) WHERE completed_at IS NULL; -- Serves completion/next.sql.
GRANT SELECT, INSERT, UPDATE ON impact_run TO orch_app;

CREATE TABLE run_input (
    tenant_id uuid NOT NULL,
    run_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('image', 'advisory', 'kev', 'vex')),
    source text NOT NULL,
    subject text NOT NULL,
    digest bytea NOT NULL,
    packages text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, run_id, kind, source, subject),
    FOREIGN KEY (tenant_id, run_id) REFERENCES impact_run
);
COMMENT ON TABLE run_input IS 'What a run was planned from, by content: its replay reads the same';
SELECT guard('run_input');
GRANT SELECT, INSERT ON run_input TO orch_app;

CREATE TABLE segment (
    tenant_id uuid NOT NULL,
    run_id uuid NOT NULL,
    ordinal integer NOT NULL CHECK (ordinal >= 0),
    scope_all boolean NOT NULL,
    images bytea[] NOT NULL CHECK (cardinality(images) BETWEEN 1 AND 10000),
    PRIMARY KEY (tenant_id, run_id, ordinal),
    FOREIGN KEY (tenant_id, run_id) REFERENCES impact_run
);
COMMENT ON TABLE segment IS 'The slices of an impact run; the job of each names its ordinal';
COMMENT ON COLUMN segment.images IS 'Image digests, sorted';
SELECT guard('segment');
GRANT SELECT, INSERT ON segment TO orch_app;

CREATE TABLE finding (
    tenant_id uuid NOT NULL,
    package_key text NOT NULL,
    purl text NOT NULL,
    group_key text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('unknown', 'low', 'medium', 'high', 'critical')),
    kev boolean NOT NULL,
    images bytea NOT NULL,
    row_key bytea NOT NULL CHECK (octet_length(row_key) = 32),
    -- Serves finding/by_package.sql.
    PRIMARY KEY (tenant_id, package_key, row_key)
);
COMMENT ON TABLE finding IS 'Findings as sets: for each flaw of a component the images that have it so';
COMMENT ON COLUMN finding.row_key IS 'SHA-256 over purl, group, severity and kev as JSON: a purl may be too long for an index row';
COMMENT ON COLUMN finding.images IS 'Roaring bitmap of image numbers, portable format';
SELECT guard('finding');
GRANT SELECT, INSERT, UPDATE, DELETE ON finding TO orch_app;
