-- audit/seal_put.sql: the seals of a batch of tenant $1, one element of each array a row.
INSERT INTO audit_seal (tenant_id, sequence, txid, audit_id, hash)
SELECT $1, sequence, txid::xid8, audit_id, hash
FROM unnest($2::bigint[], $3::text[], $4::uuid[], $5::bytea[]) AS t (sequence, txid, audit_id, hash)
