-- webhook/cursor_move.sql: webhook $1 has seen everything up to the place ($2, $3) of history $4; at $5 it was found that some
-- was trimmed before it did (NULL: none).
UPDATE webhook SET cursor_txid = $2::text::xid8, cursor_event = $3, cursor_epoch = $4, missed_at = coalesce($5, missed_at)
WHERE webhook_id = $1
