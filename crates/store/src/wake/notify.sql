-- wake/notify.sql: tells every listening process $1. Sent on its own, never in a transaction that writes: the
-- notification's lock would end group commit.
SELECT pg_notify('orch_wake', $1)
