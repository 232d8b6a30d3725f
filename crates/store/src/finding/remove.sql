-- finding/remove.sql: removes the sets with the keys $2 of the packages $1; one element a set.
DELETE FROM finding USING unnest($1::text[], $2::bytea[]) AS gone (package_key, row_key)
WHERE finding.package_key = gone.package_key AND finding.row_key = gone.row_key
