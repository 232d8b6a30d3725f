-- change/cursor_move.sql: reader $1 goes from the place ($2, $3) to ($4, $5); nobody else has moved it.
UPDATE change_cursor SET txid = $4::text::xid8, change_id = $5
WHERE stream = $1 AND txid = $2::text::xid8 AND change_id = $3
