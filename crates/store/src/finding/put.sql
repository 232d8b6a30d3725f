-- finding/put.sql: sets of tenant $1: package $2, key $3, purl $4, group $5, severity $6, exploited $7, images $8, version $9,
-- assumed $10, images with another basis $11; one element a set.
INSERT INTO finding (tenant_id, package_key, row_key, purl, group_key, severity, kev, images, version, source_assumed, others)
SELECT $1, t.* FROM unnest($2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::bytea[], $9::text[],
    $10::boolean[], $11::text[])
    AS t (package_key, row_key, purl, group_key, severity, kev, images, version, source_assumed, others)
ON CONFLICT (tenant_id, package_key, row_key) DO UPDATE SET images = excluded.images, version = excluded.version,
    source_assumed = excluded.source_assumed, others = excluded.others
