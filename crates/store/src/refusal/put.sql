-- refusal/put.sql: the records $4 of source $2 of tenant $1, of kind $3, came at $12 and cannot be read: named or not $5,
-- effect $6, code $7, place $8, detail $9, problems $10, digest $11; one element a record.
INSERT INTO refusal (tenant_id, source_id, kind, record, named, effect, code, place, detail, problems, digest,
    first_seen_at, last_seen_at)
SELECT $1, $2, $3, t.*, $12, $12
FROM unnest($4::text[], $5::boolean[], $6::text[], $7::text[], $8::text[], $9::text[], $10::integer[], $11::bytea[])
    AS t (record, named, effect, code, place, detail, problems, digest)
ON CONFLICT (tenant_id, source_id, kind, record) DO UPDATE
SET named = excluded.named, effect = excluded.effect, code = excluded.code, place = excluded.place, detail = excluded.detail,
    problems = excluded.problems, digest = excluded.digest,
    first_seen_at = CASE WHEN refusal.digest = excluded.digest THEN least(refusal.first_seen_at, excluded.first_seen_at)
        ELSE excluded.first_seen_at END,
    last_seen_at = greatest(excluded.last_seen_at, refusal.first_seen_at)
