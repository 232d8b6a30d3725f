-- completion/save.sql: run $1 completed at $2 with delta $3, per image $4, and the signed event $5; once.
UPDATE impact_run SET completed_at = $2, delta = $3, deltas = $4, envelope = $5 WHERE run_id = $1 AND completed_at IS NULL
