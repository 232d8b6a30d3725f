-- impact_run/envelope.sql: the completion event of run $1 and its delta image by image.
SELECT envelope, deltas FROM impact_run WHERE run_id = $1
