-- webhook/list.sql: up to $2 webhooks after $1, oldest first.
SELECT webhook_id, project_id, name, url, event_types, job_types, run_id, state, pause_reason, paused_at, failures,
    failing_since, old_secret_until, missed_at, created_at, updated_at
FROM webhook WHERE webhook_id > $1 ORDER BY webhook_id LIMIT $2
