-- change/pending.sql: how many changes reader $1 has not seen, and when the oldest of them was written. Sub-selects, so
-- that the place bounds the scan of the primary key.
SELECT count(*) AS pending, min(created_at) AS oldest FROM change
WHERE (txid, change_id) > (
    coalesce((SELECT place.txid FROM change_cursor place WHERE place.stream = $1), '0'::xid8),
    coalesce((SELECT place.change_id FROM change_cursor place WHERE place.stream = $1), '00000000-0000-0000-0000-000000000000'))
