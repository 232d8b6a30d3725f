-- finding/packages.sql: the packages that the SBOMs $1 list.
SELECT DISTINCT component.package_key FROM sbom CROSS JOIN unnest(sbom.components) AS part (component_no)
JOIN component ON component.tenant_id = sbom.tenant_id AND component.component_no = part.component_no
WHERE sbom.digest = ANY ($1) AND component.package_key IS NOT NULL
ORDER BY component.package_key
