-- dpop_proof/trim.sql: empties the slots of minutes whose proofs nobody takes any more. Runs as orch_sched.
SELECT dpop_proof_trim()
