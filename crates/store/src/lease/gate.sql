-- lease/gate.sql: passes the gate of tenant $1 that stands before every grant. A statement of its own before the claim,
-- so that the claim sees whatever was committed while the gate was closed.
SELECT pg_advisory_xact_lock_shared(hashtext('orch.grant'), hashtext($1))
