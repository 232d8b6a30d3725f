-- bulk/take.sql: takes the next slice of bulk action $1.
DELETE FROM bulk_slice WHERE bulk_id = $1
    AND ordinal = (SELECT min(ordinal) FROM bulk_slice WHERE bulk_id = $1)
RETURNING ordinal, items
