-- source/resume.sql: source $1 goes on; what is held of it is released afterwards.
UPDATE source SET paused_at = NULL, pause_reason = NULL, version = version + 1
WHERE source_id = $1 AND paused_at IS NOT NULL
