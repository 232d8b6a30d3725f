-- audit/head.sql: the last checkpoint of the tenant.
SELECT size, head, digest, epoch, txid::text, audit_id, envelope FROM audit_checkpoint ORDER BY first DESC LIMIT 1
