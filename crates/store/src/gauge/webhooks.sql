-- gauge/webhooks.sql: how many webhooks are active, and how many are paused for each reason. Runs as orch_sched, across
-- tenants.
SELECT stand.state, count(webhook.webhook_id) AS webhooks
FROM (VALUES ('active'), ('operator'), ('failing'), ('gone')) AS stand (state)
LEFT JOIN webhook ON coalesce(webhook.pause_reason, 'active') = stand.state
GROUP BY stand.state ORDER BY stand.state
