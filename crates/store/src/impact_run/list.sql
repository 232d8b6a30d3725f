-- impact_run/list.sql: impact run $1 (NULL: any) before generation $2, newest first, at most $3.
SELECT impact_run.run_id, generation, mode, priority, plan_digest, inputs_digest, packages, segments, images_impacted,
    images_total, advisories_changed, impact_run.created_at, completed_at, delta, run.attempts, run.leases_expired,
    images_not_evaluated, CASE WHEN completed_at IS NOT NULL THEN run.state END AS result,
    -- Two reads of an index, and only for a run that left something out.
    CASE WHEN images_not_evaluated > 0 THEN (
        SELECT count(*) FROM impact_debt WHERE impact_debt.tenant_id = impact_run.tenant_id AND first_generation = generation
    ) + (
        SELECT count(*) FROM impact_debt WHERE impact_debt.tenant_id = impact_run.tenant_id AND last_generation = generation
          AND first_generation <> generation
    ) ELSE 0 END AS images_owed
FROM impact_run JOIN run USING (tenant_id, run_id)
WHERE ($1::uuid IS NULL OR impact_run.run_id = $1) AND generation < $2
ORDER BY generation DESC LIMIT $3
