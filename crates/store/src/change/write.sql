-- change/write.sql: appends changes of tenant $1 and kind $2 from source $3 to the stream at $8: subject $5, from
-- document $6 to document $7, one element of each array a change; the request $9 of a trace brought them. The ids
-- say when each was written: of two changes of one subject the second waited for the first, and is later.
INSERT INTO change (tenant_id, change_id, kind, source_id, subject, before, after, traceparent, created_at)
SELECT $1, uuid_at(t.at, t.change_id), $2, $3, t.subject, t.before, t.after, $9, $8
FROM (
    SELECT *, clock_timestamp() AS at
    FROM unnest($4::uuid[], $5::text[], $6::bytea[], $7::bytea[]) AS t (change_id, subject, before, after)
) t
