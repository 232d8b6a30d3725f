-- completion/save.sql: run $1 completed at $2, or right after its last event, with delta $3, per image $4, the signed
-- event $5, and $6 images left out; once.
UPDATE impact_run SET completed_at = greatest($2, (SELECT run.since + interval '1 microsecond' FROM run WHERE run.run_id = $1)),
    delta = $3, deltas = $4, envelope = $5, images_not_evaluated = $6 WHERE run_id = $1 AND completed_at IS NULL
RETURNING completed_at
