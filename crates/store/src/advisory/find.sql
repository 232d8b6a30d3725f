-- advisory/find.sql: what stands now under the id $1, from whatever source.
SELECT advisory.source_id, source.name AS source, advisory.advisory_id, advisory.digest, advisory.group_key,
    advisory.modified, advisory.changed_at
FROM advisory_flaw flaw
JOIN advisory ON advisory.tenant_id = flaw.tenant_id AND advisory.source_id = flaw.source_id
    AND advisory.advisory_id = flaw.advisory_id
JOIN source ON source.tenant_id = advisory.tenant_id AND source.source_id = advisory.source_id
WHERE flaw.flaw = $1 AND flaw.advisory_id = $1
ORDER BY source.name
