-- impact_run/inputs_insert.sql: pins the inputs of run $2 of tenant $1, one element of each array an input; the
-- packages ($7) are joined by line ends, because PostgreSQL has no arrays of arrays of different lengths.
INSERT INTO run_input (tenant_id, run_id, kind, source, subject, digest, packages)
SELECT $1, $2, t.kind, t.source, t.subject, t.digest, coalesce(string_to_array(nullif(t.packages, ''), E'\n'), '{}')
FROM unnest($3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[]) AS t (kind, source, subject, digest, packages)
