-- webhook/behind.sql: active webhooks that have not seen every event. Runs as orch_sched, across tenants; each is one probe of
-- the stream's key.
SELECT tenant_id, webhook_id FROM webhook
WHERE state = 'active' AND EXISTS (
    SELECT FROM event WHERE event.tenant_id = webhook.tenant_id
      AND (event.txid, event.event_id) > (webhook.cursor_txid, webhook.cursor_event)
      AND event.txid < pg_snapshot_xmin(pg_current_snapshot()))
ORDER BY tenant_id, webhook_id
