-- bulk/next.sql: the oldest bulk action that is running, locked; another replica's is passed over.
SELECT bulk_id, action, target, filter, priority, plan_digest, state, total, done, failed, created_at, finished_at, subject,
    credential, scope, reason, ticket, request_id, correlation_id, address
FROM bulk_action WHERE state = 'running' ORDER BY bulk_id LIMIT 1 FOR UPDATE SKIP LOCKED
