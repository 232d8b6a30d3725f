-- segment/advisories.sql: the advisories that run $1 pinned and that speak of one of the packages $2.
SELECT DISTINCT digest FROM run_input WHERE run_id = $1 AND kind = 'advisory' AND packages && $2 ORDER BY digest
