-- bulk/drop.sql: what was left to do of bulk action $1 is not done.
DELETE FROM bulk_slice WHERE bulk_id = $1
