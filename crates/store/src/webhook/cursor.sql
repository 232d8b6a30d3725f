-- webhook/cursor.sql: where the active webhook $1 stands in its tenant's stream, locked; nothing when somebody else moves it.
SELECT project_id, event_types, job_types, run_id, cursor_txid::text AS txid, cursor_event, cursor_epoch
FROM webhook WHERE webhook_id = $1 AND state = 'active' FOR UPDATE SKIP LOCKED
