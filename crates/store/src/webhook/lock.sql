-- webhook/lock.sql: one maker of webhooks of tenant $1 at a time, so that their number stays bounded.
SELECT pg_advisory_xact_lock(hashtextextended('orch.webhook ' || $1::uuid::text, 0))
