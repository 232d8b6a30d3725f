-- delivery/remove_old.sql: up to $2 deliveries from before $1 go, oldest first.
DELETE FROM delivery USING (
    SELECT tenant_id, webhook_id, delivery_id FROM delivery WHERE created_at < $1 ORDER BY created_at LIMIT $2) oldest
WHERE delivery.tenant_id = oldest.tenant_id AND delivery.webhook_id = oldest.webhook_id
  AND delivery.delivery_id = oldest.delivery_id
