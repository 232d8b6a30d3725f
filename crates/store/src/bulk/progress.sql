-- bulk/progress.sql: of bulk action $1, $2 more things are done and $3 failed; it has ended at $4 when no slice is left.
UPDATE bulk_action SET done = done + $2, failed = failed + $3,
    state = CASE WHEN left_over.slices THEN state ELSE 'succeeded' END,
    finished_at = CASE WHEN left_over.slices THEN NULL ELSE greatest($4::timestamptz, created_at) END
FROM (SELECT EXISTS (SELECT FROM bulk_slice WHERE bulk_id = $1) AS slices) left_over
WHERE bulk_id = $1 AND state = 'running'
