-- run/looked_at.sql: the last of the $2 newest runs between run $3 and run $1, if there are so many.
SELECT run_id FROM run WHERE run_id < $1 AND run_id > $3 ORDER BY run_id DESC OFFSET $2::bigint - 1 LIMIT 1
