-- bulk/list.sql: bulk actions before $1 (NULL: from the youngest), at most $2; the one with id $3 only (NULL: all).
SELECT bulk_id, action, target, filter, priority, plan_digest, state, total, done, failed, created_at, finished_at, subject,
    credential, scope, reason, ticket, request_id, correlation_id, address
FROM bulk_action WHERE ($1::uuid IS NULL OR bulk_id < $1) AND ($3::uuid IS NULL OR bulk_id = $3)
ORDER BY bulk_id DESC LIMIT $2
