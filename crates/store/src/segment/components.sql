-- segment/components.sql: the components with the numbers $1.
SELECT component_no, facts, package_key FROM component WHERE component_no = ANY ($1) ORDER BY component_no
