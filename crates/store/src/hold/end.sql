-- hold/end.sql: source $1 holds nothing any more.
UPDATE source SET holds = false
WHERE source_id = $1 AND paused_at IS NULL AND NOT EXISTS (SELECT FROM held WHERE held.source = source.name)
