-- finding/page.sql: finding sets of the packages $1, of the severities $2, exploited or not $3 (NULL: any), after
-- set $5 of package $4, at most $6.
SELECT package_key, row_key, purl, group_key, severity, kev, images, version, source_assumed, others FROM finding
WHERE (package_key, row_key) > ($4::text, $5::bytea)
    AND ($1::text[] IS NULL OR package_key = ANY ($1))
    AND ($2::text[] IS NULL OR severity = ANY ($2))
    AND ($3::boolean IS NULL OR kev = $3)
ORDER BY package_key, row_key LIMIT $6
