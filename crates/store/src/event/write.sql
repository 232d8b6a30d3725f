-- event/write.sql: one event of tenant $1, with the id $2, of kind $3 at $4, of run $5, because of $6, caused by $7 by scope $8.
INSERT INTO event (tenant_id, event_id, kind, occurred_at, run_id, reason, actor, scope)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
