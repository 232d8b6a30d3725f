-- finding/by_package.sql: the finding sets of the packages $1.
SELECT package_key, purl, group_key, severity, kev, images, version, source_assumed, others FROM finding WHERE package_key = ANY ($1)
ORDER BY package_key, row_key
