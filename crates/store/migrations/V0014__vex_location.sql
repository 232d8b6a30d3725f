-- A VEX document is known by where it was found: several in one hub may carry the same @id.

ALTER TABLE vex ADD COLUMN location text;
-- No UPDATE: the owner sees no rows. What a change of the type computes, it computes for all.
ALTER TABLE vex ALTER COLUMN location TYPE text USING document_id;
ALTER TABLE vex
    ALTER COLUMN location SET NOT NULL,
    ADD CHECK (length(location) BETWEEN 1 AND 500),
    DROP CONSTRAINT vex_pkey,
    ADD PRIMARY KEY (tenant_id, source_id, location);
COMMENT ON COLUMN vex.location IS 'The path or URL under which the source has it; its document_id where the uploader names none';
COMMENT ON COLUMN vex.document_id IS 'Its own @id; sha256:… of its bytes where it has none';
CREATE INDEX vex_document ON vex (tenant_id, document_id, source_id, location); -- Serves vex/of_document.sql.
COMMENT ON COLUMN change.subject IS 'Image digest, advisory id, `catalogue` (KEV) or location of a VEX document';

ALTER TABLE sbom ADD COLUMN names text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN sbom.names IS 'What the document calls the image, for VEX statements: references and purls';
GRANT UPDATE (names) ON sbom TO orch_app;
