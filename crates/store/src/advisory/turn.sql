-- advisory/turn.sql: waits until no other upload of advisories of source $1 is under way.
SELECT pg_advisory_xact_lock(hashtextextended('orch.advisories ' || $1::uuid::text, 0))
