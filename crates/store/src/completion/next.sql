-- completion/next.sql: the oldest impact run that has not completed, locked, when its jobs have ended. Findings are
-- replaced in the order of generations: a younger run waits.
SELECT impact_run.run_id, run.state FROM impact_run JOIN run USING (tenant_id, run_id)
WHERE impact_run.generation = (SELECT min(generation) FROM impact_run WHERE completed_at IS NULL)
  -- Again on the row itself: another replica may have completed it while this one waited for it.
  AND impact_run.completed_at IS NULL AND run.finished_at IS NOT NULL
FOR UPDATE OF impact_run SKIP LOCKED
