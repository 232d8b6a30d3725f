-- advisory/link.sql: advisories of source $2 of tenant $1 speak of packages ($3 advisory, $4 package) and flaws
-- ($5 advisory, $6 name).
WITH packages AS (
    INSERT INTO advisory_package (tenant_id, package_key, source_id, advisory_id)
    SELECT $1, t.package_key, $2, t.advisory_id FROM unnest($3::text[], $4::text[]) AS t (advisory_id, package_key)
)
INSERT INTO advisory_flaw (tenant_id, flaw, source_id, advisory_id)
SELECT $1, t.flaw, $2, t.advisory_id FROM unnest($5::text[], $6::text[]) AS t (advisory_id, flaw)
