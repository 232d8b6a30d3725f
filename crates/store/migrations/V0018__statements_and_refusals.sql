-- What a finding rests on beside its purl, and the records of a source that could not be read.

-- The package and its version are no longer always in the purl: a document may state the source package beside it.
ALTER TABLE finding
    ADD COLUMN version text NOT NULL DEFAULT '',
    ADD COLUMN source_assumed boolean NOT NULL DEFAULT false,
    ADD COLUMN others text;
COMMENT ON COLUMN finding.version IS 'The version that was judged, in the images of the set that are not in others; empty: stored before it was kept';
COMMENT ON COLUMN finding.source_assumed IS 'Whether nothing stated the source package in these images, so that the binary package''s name stands for it';
COMMENT ON COLUMN finding.others IS 'Images of the set with another version or assumption, as JSON: [[{version, sourceAssumed}, bytes of a bitmap], …]';
COMMENT ON COLUMN component.facts IS 'Canonical JSON of the component: purl, the package it names or why it cannot be judged, and whether its source package is assumed';

CREATE TABLE refusal (
    tenant_id uuid NOT NULL,
    source_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('advisory', 'kev', 'vex')),
    record text NOT NULL CHECK (octet_length(record) BETWEEN 1 AND 500),
    named boolean NOT NULL,
    effect text NOT NULL CHECK (effect IN ('refused', 'partial')),
    code text NOT NULL CHECK (length(code) BETWEEN 1 AND 100),
    place text NOT NULL CHECK (length(place) <= 300),
    detail text NOT NULL CHECK (length(detail) <= 300),
    problems integer NOT NULL CHECK (problems >= 1),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL CHECK (last_seen_at >= first_seen_at),
    PRIMARY KEY (tenant_id, source_id, kind, record),
    FOREIGN KEY (tenant_id, source_id) REFERENCES source ON DELETE CASCADE
);
COMMENT ON TABLE refusal IS 'Records of a source that cannot be read, in whole or in part, as they came last; REFUSALS_MAX per source and kind';
COMMENT ON COLUMN refusal.tenant_id IS 'Whose';
COMMENT ON COLUMN refusal.source_id IS 'The source that the record came from';
COMMENT ON COLUMN refusal.kind IS 'What the record would be';
COMMENT ON COLUMN refusal.record IS 'Its id within the source; sha256:… of its bytes where no id can be read';
COMMENT ON COLUMN refusal.named IS 'Whether record is an id';
COMMENT ON COLUMN refusal.effect IS 'refused: nothing of it counts, and what was stored under its id stays; partial: what can be read counts';
COMMENT ON COLUMN refusal.code IS 'The code of the first problem';
COMMENT ON COLUMN refusal.place IS 'Where in the upload the first problem is';
COMMENT ON COLUMN refusal.detail IS 'The first problem, for people';
COMMENT ON COLUMN refusal.problems IS 'How many problems the record has';
COMMENT ON COLUMN refusal.digest IS 'SHA-256 of the record as it came';
COMMENT ON COLUMN refusal.first_seen_at IS 'When it came first in exactly this form';
COMMENT ON COLUMN refusal.last_seen_at IS 'When it came last';
CREATE INDEX refusal_record ON refusal (tenant_id, kind, record); -- Serves refusal/of_record.sql.
SELECT guard('refusal', '{effect}');
GRANT SELECT, INSERT, UPDATE, DELETE ON refusal TO orch_app;

ALTER TABLE source ADD COLUMN refusals_dropped bigint NOT NULL DEFAULT 0 CHECK (refusals_dropped >= 0);
COMMENT ON COLUMN source.refusals_dropped IS 'Records that are not in refusal because it was full, since the last upload of all that the source has';
