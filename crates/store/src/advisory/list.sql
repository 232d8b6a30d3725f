-- advisory/list.sql: advisories that stand now, after advisory $2 of source $1, at most $3: of the source called $4,
-- about package $5, about the flaw known as $6 (NULL: any).
SELECT advisory.source_id, source.name AS source, advisory.advisory_id, advisory.digest, advisory.group_key,
    advisory.modified, advisory.changed_at
FROM advisory JOIN source ON source.tenant_id = advisory.tenant_id AND source.source_id = advisory.source_id
WHERE (advisory.source_id, advisory.advisory_id) > ($1::uuid, $2::text)
    AND ($4::text IS NULL OR source.name = $4)
    AND ($5::text IS NULL OR EXISTS (SELECT FROM advisory_package package WHERE package.tenant_id = advisory.tenant_id
        AND package.package_key = $5 AND package.source_id = advisory.source_id AND package.advisory_id = advisory.advisory_id))
    AND ($6::text IS NULL OR EXISTS (SELECT FROM advisory_flaw flaw WHERE flaw.tenant_id = advisory.tenant_id
        AND flaw.flaw = $6 AND flaw.source_id = advisory.source_id AND flaw.advisory_id = advisory.advisory_id))
ORDER BY advisory.source_id, advisory.advisory_id LIMIT $3
