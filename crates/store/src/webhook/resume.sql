-- webhook/resume.sql: webhook $1 goes on at $2: with a clean sheet, and behind its cursor, or ($3) only with what is
-- committed from now on.
UPDATE webhook SET state = 'active', pause_reason = NULL, paused_at = NULL, failures = 0, failing_since = NULL, updated_at = $2,
    cursor_txid = CASE WHEN $3 THEN pg_snapshot_xmin(pg_current_snapshot()) ELSE cursor_txid END,
    cursor_event = CASE WHEN $3 THEN '00000000-0000-0000-0000-000000000000' ELSE cursor_event END,
    cursor_epoch = CASE WHEN $3 THEN NULL ELSE cursor_epoch END
WHERE webhook_id = $1 AND state = 'paused'
