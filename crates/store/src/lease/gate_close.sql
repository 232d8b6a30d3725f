-- lease/gate_close.sql: closes the gate of tenant $1 until this transaction ends: waits for claims under way, and keeps
-- later ones waiting.
SELECT pg_advisory_xact_lock(hashtext('orch.grant'), hashtext($1))
