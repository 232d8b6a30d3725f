-- vex/standing.sql: the VEX document of source $1 at location $2, held. Without its version's row, which would be that of the
-- version before when another upload was waited for.
SELECT document_id, digest FROM vex WHERE source_id = $1 AND location = $2 FOR UPDATE
