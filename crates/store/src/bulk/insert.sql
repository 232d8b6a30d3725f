-- bulk/insert.sql: bulk action $2 of tenant $1: does $3 to $4 that pass $5, with priority $6, as confirmed by $7, to $8
-- things, at $9; asked for by $10 with credential $11 and scope $12 for the reason $13 and ticket $14, in request $15
-- and correlation $16 from address $17, in project $18.
INSERT INTO bulk_action (tenant_id, bulk_id, action, target, filter, priority, plan_digest, total, created_at, subject,
    credential, scope, reason, ticket, request_id, correlation_id, address, project_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
