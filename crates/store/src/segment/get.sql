-- segment/get.sql: the segments of run $1 (ordinal $2, NULL: all).
SELECT ordinal, scope_all, images FROM segment WHERE run_id = $1 AND ($2::integer IS NULL OR ordinal = $2) ORDER BY ordinal
