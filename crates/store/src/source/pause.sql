-- source/pause.sql: source $1 is paused at $2 for the reason $3; once.
UPDATE source SET paused_at = $2, pause_reason = $3, holds = true, version = version + 1
WHERE source_id = $1 AND paused_at IS NULL
