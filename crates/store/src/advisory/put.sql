-- advisory/put.sql: advisories of source $2 of tenant $1 stand as documents $4 from $7 on; one element an advisory.
INSERT INTO advisory (tenant_id, source_id, advisory_id, digest, group_key, modified, changed_at)
SELECT $1, $2, t.advisory_id, t.digest, t.group_key, t.modified, $7
FROM unnest($3::text[], $4::bytea[], $5::text[], $6::text[]) AS t (advisory_id, digest, group_key, modified)
ON CONFLICT (tenant_id, source_id, advisory_id) DO UPDATE
SET digest = excluded.digest, group_key = excluded.group_key, modified = excluded.modified, changed_at = excluded.changed_at
