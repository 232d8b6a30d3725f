-- delivery/due.sql: active webhooks with a delivery that is due. Runs as orch_sched, across tenants; each is one probe of an
-- index. A sub-select, because the clock itself is no bound for an index.
SELECT tenant_id, webhook_id FROM webhook
WHERE state = 'active' AND EXISTS (
    SELECT FROM delivery WHERE delivery.tenant_id = webhook.tenant_id AND delivery.webhook_id = webhook.webhook_id
      AND delivery.state = 'pending' AND delivery.next_at <= (SELECT clock_timestamp()))
ORDER BY tenant_id, webhook_id
