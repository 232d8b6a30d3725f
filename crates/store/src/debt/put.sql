-- debt/put.sql: what is owed by tenant $1, as it stands now; one element of each array a debt. The packages ($3) are joined
-- by line ends, because PostgreSQL has no arrays of arrays of different lengths; none are all of them.
INSERT INTO impact_debt (tenant_id, image, packages, first_generation, last_generation, tries, priority, reason, opened_at,
    due_at, paid_by)
SELECT $1, t.image, string_to_array(nullif(t.packages, ''), E'\n'), t.first, t.last, t.tries, t.priority, t.reason, t.opened,
    t.due, t.paid_by
FROM unnest($2::bytea[], $3::text[], $4::bigint[], $5::bigint[], $6::integer[], $7::text[], $8::text[], $9::timestamptz[],
    $10::timestamptz[], $11::uuid[]) AS t (image, packages, first, last, tries, priority, reason, opened, due, paid_by)
ORDER BY t.image
ON CONFLICT (tenant_id, image) DO UPDATE SET packages = excluded.packages, last_generation = excluded.last_generation,
    tries = excluded.tries, priority = excluded.priority, reason = excluded.reason, due_at = excluded.due_at,
    paid_by = excluded.paid_by
