-- vex/page.sql: VEX documents that stand now, after location $2 of source $1, at most $3: of the source called $4 (NULL: any).
SELECT vex.source_id, source.name AS source, vex.location, vex.document_id, vex.digest, document.created_at
FROM vex JOIN source ON source.tenant_id = vex.tenant_id AND source.source_id = vex.source_id
JOIN document ON document.tenant_id = vex.tenant_id AND document.digest = vex.digest
WHERE (vex.source_id, vex.location) > ($1::uuid, $2::text) AND ($4::text IS NULL OR source.name = $4)
ORDER BY vex.source_id, vex.location LIMIT $3
