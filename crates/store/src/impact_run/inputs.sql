-- impact_run/inputs.sql: what run $1 was planned from.
SELECT kind, source, subject, digest, packages FROM run_input WHERE run_id = $1 ORDER BY kind, source, subject
