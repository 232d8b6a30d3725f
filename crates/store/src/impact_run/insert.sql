-- impact_run/insert.sql: run $2 of tenant $1 is generation $3, planned as $6 at $13.
INSERT INTO impact_run (tenant_id, run_id, generation, mode, priority, plan_digest, inputs_digest, packages, segments,
    images_impacted, images_total, advisories_changed, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
