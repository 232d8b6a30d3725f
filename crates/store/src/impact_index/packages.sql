-- impact_index/packages.sql: the components with numbers $1 that name a package.
SELECT component_no, package_key, version FROM component WHERE component_no = ANY ($1) AND package_key IS NOT NULL
