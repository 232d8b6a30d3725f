-- event/write.sql: one event $2 of tenant $1 of kind $3 at $4, of run $5, because of $6, caused by $7 by scope $8.
INSERT INTO event (tenant_id, event_id, kind, occurred_at, run_id, reason, actor, scope)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
