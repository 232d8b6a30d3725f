-- image/remove.sql: the image with digest $1 leaves the fleet at $2; its findings no longer stand.
UPDATE image SET removed_at = $2, changed_at = $2, evaluated_sbom = NULL WHERE digest = $1 AND removed_at IS NULL
