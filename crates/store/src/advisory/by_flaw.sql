-- advisory/by_flaw.sql: documents of the advisories that know a flaw under one of the names $1.
SELECT DISTINCT advisory.digest FROM advisory_flaw JOIN advisory USING (tenant_id, source_id, advisory_id)
WHERE advisory_flaw.flaw = ANY ($1)
