-- impact_run/pin_advisories.sql: the advisories that speak of the packages $1, or of any package of the SBOMs $2.
SELECT advisory.source_id::text AS source, advisory.advisory_id, advisory.digest,
    (SELECT array_agg(own.package_key ORDER BY own.package_key) FROM advisory_package own
     WHERE own.tenant_id = advisory.tenant_id AND own.source_id = advisory.source_id
       AND own.advisory_id = advisory.advisory_id) AS packages
FROM advisory
WHERE (advisory.source_id, advisory.advisory_id) IN (
    SELECT link.source_id, link.advisory_id FROM advisory_package link
    WHERE link.package_key = ANY ($1) OR link.package_key IN (
        SELECT component.package_key FROM sbom CROSS JOIN unnest(sbom.components) AS part (component_no)
        JOIN component ON component.tenant_id = sbom.tenant_id AND component.component_no = part.component_no
        WHERE sbom.digest = ANY ($2) AND component.package_key IS NOT NULL))
ORDER BY source, advisory.advisory_id
