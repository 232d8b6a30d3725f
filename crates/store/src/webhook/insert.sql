-- webhook/insert.sql: webhook $2 of tenant $1, made at $11, unless the tenant has $12 of them. It is told of what is
-- committed from now on: it stands before the oldest transaction that is still open.
INSERT INTO webhook (tenant_id, webhook_id, project_id, name, url, event_types, job_types, run_id, state, key_id, secret,
    cursor_txid, cursor_event, created_at, updated_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, 'active', $9, $10, pg_snapshot_xmin(pg_current_snapshot()),
    '00000000-0000-0000-0000-000000000000', $11, $11
WHERE (SELECT count(*) FROM webhook) < $12
