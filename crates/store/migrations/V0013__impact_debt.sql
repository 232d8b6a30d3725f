-- What is owed: images that an impact run was to evaluate and did not.

CREATE TABLE impact_debt (
    tenant_id uuid NOT NULL,
    image bytea NOT NULL,
    packages text[] CHECK (cardinality(packages) BETWEEN 1 AND 256),
    first_generation bigint NOT NULL,
    last_generation bigint NOT NULL,
    tries integer NOT NULL CHECK (tries > 0),
    priority text NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'emergency')),
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 40),
    opened_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    paid_by uuid,
    PRIMARY KEY (tenant_id, image),
    FOREIGN KEY (tenant_id, image) REFERENCES image (tenant_id, digest),
    FOREIGN KEY (tenant_id, paid_by) REFERENCES impact_run (tenant_id, run_id)
);
COMMENT ON TABLE impact_debt IS 'Images that an impact run left out; a later run evaluates them';
COMMENT ON COLUMN impact_debt.image IS 'The digest of the image; it stands in the fleet';
COMMENT ON COLUMN impact_debt.packages IS 'The packages that were not evaluated; NULL: all of the image';
COMMENT ON COLUMN impact_debt.first_generation IS 'The run that left it first';
COMMENT ON COLUMN impact_debt.last_generation IS 'The run that left it last';
COMMENT ON COLUMN impact_debt.tries IS 'Runs that left it, one after the other';
COMMENT ON COLUMN impact_debt.priority IS 'The highest band of these runs';
COMMENT ON COLUMN impact_debt.reason IS 'Why the last run left it: how the segment''s job ended, or unusable for its result';
COMMENT ON COLUMN impact_debt.opened_at IS 'When the first run left it';
COMMENT ON COLUMN impact_debt.due_at IS 'From when on it is planned again';
COMMENT ON COLUMN impact_debt.paid_by IS 'The run that evaluates it now; NULL: it waits';
SELECT guard('impact_debt', '{tenant_id, due_at, paid_by, opened_at}');
GRANT SELECT, INSERT, UPDATE, DELETE ON impact_debt TO orch_app;
CREATE INDEX impact_debt_due ON impact_debt (tenant_id, due_at, image) WHERE paid_by IS NULL; -- Serves debt/due.sql and debt/tenants.sql.
CREATE INDEX impact_debt_first ON impact_debt (tenant_id, first_generation); -- Serves debt/of_run.sql and impact_run/list.sql.
CREATE INDEX impact_debt_last ON impact_debt (tenant_id, last_generation); -- Serves debt/of_run.sql and impact_run/list.sql.

ALTER TABLE impact_run ADD COLUMN images_not_evaluated bigint;
COMMENT ON COLUMN impact_run.images_not_evaluated IS 'Images that it left out; NULL until it completes, and of a run that completed before this was counted';
