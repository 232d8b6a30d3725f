-- The objects of the service in full: images that leave the fleet, sources that are paused, decided dead letters,
-- actions on many things at once.

ALTER TABLE image ADD COLUMN removed_at timestamptz;
COMMENT ON COLUMN image.removed_at IS 'When it left the fleet; its row stays, because runs that evaluated it can be read again';
CREATE INDEX image_sbom ON image (tenant_id, sbom_digest); -- Serves sbom/list.sql.
CREATE INDEX component_package ON component (tenant_id, package_key) WHERE package_key IS NOT NULL; -- Serves image/list.sql.
