-- change/cursor_get.sql: how far reader $1 has come.
SELECT txid::text, change_id FROM change_cursor WHERE stream = $1
