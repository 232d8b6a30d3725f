-- sbom/components.sql: numbers of the components with the facts digests $1 that are known already. Looked up
-- one by one: until statistics are there, the planner would read all components of the tenant.
SELECT known.component_no, known.facts_digest FROM unnest($1::bytea[]) AS asked (facts_digest)
CROSS JOIN LATERAL (
    SELECT component_no, facts_digest FROM component WHERE component.facts_digest = asked.facts_digest LIMIT 1
) known
