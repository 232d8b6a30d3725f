-- log/write.sql: lines of tenant $1 that arrived at $2, one element of each array a line.
INSERT INTO job_log (tenant_id, job_id, log_id, attempt, logged_at, level, line, cut)
SELECT $1, t.job_id, t.log_id, t.attempt, $2, t.level, t.line, t.cut
FROM unnest($3::uuid[], $4::uuid[], $5::integer[], $6::text[], $7::text[], $8::boolean[])
    AS t (job_id, log_id, attempt, level, line, cut)
