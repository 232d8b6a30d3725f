-- impact_run/list.sql: impact run $1 (NULL: any) before generation $2, newest first, at most $3.
SELECT impact_run.run_id, generation, mode, priority, plan_digest, inputs_digest, packages, segments, images_impacted,
    images_total, advisories_changed, impact_run.created_at, completed_at, delta, run.attempts, run.leases_expired
FROM impact_run JOIN run USING (tenant_id, run_id)
WHERE ($1::uuid IS NULL OR impact_run.run_id = $1) AND generation < $2
ORDER BY generation DESC LIMIT $3
