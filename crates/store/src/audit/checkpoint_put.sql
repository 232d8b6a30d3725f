-- audit/checkpoint_put.sql: appends a checkpoint of tenant $1 over the rows $2 to $3, sealed under epoch $4 at $10, while
-- that epoch leads duty $11 and the last checkpoint has the digest $12, or there is none.
INSERT INTO audit_checkpoint (tenant_id, first, size, epoch, head, digest, envelope, txid, audit_id, sealed_at)
SELECT $1::uuid, $2::bigint, $3::bigint, $4::bigint, $5::bytea, $6::bytea, $7::text, $8::text::xid8, $9::uuid, $10::timestamptz
WHERE EXISTS (SELECT FROM leader WHERE duty = $11 AND epoch = $4 AND until > $10)
  AND (SELECT digest FROM audit_checkpoint last ORDER BY last.first DESC LIMIT 1) IS NOT DISTINCT FROM $12::bytea
ON CONFLICT DO NOTHING
