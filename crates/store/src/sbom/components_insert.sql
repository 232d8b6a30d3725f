-- sbom/components_insert.sql: new components of tenant $1, one element of each array a component.
INSERT INTO component (tenant_id, component_no, purl, facts, facts_digest, package_key, version)
SELECT $1, t.* FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::text[])
    AS t (component_no, purl, facts, facts_digest, package_key, version)
