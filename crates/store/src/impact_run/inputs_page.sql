-- impact_run/inputs_page.sql: what run $1 was planned from, after the input ($2, $3, $4), at most $5.
SELECT kind, source, subject, digest, packages FROM run_input
WHERE run_id = $1 AND (kind, source, subject) > ($2, $3, $4)
ORDER BY kind, source, subject LIMIT $5
