-- sbom/components.sql: numbers of the components with the facts digests $1 that are known already.
SELECT component_no, facts_digest FROM component WHERE facts_digest = ANY ($1)
