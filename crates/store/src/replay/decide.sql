-- replay/decide.sql: the open dead letters of the jobs $1 are decided: they were replayed.
UPDATE dead_letter SET decision = 'replayed' WHERE job_id = ANY ($1) AND decision = 'open'
