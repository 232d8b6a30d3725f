-- dead_letter/discard.sql: the open dead letters of the jobs $1 are discarded at $2 by $3 for the reason $4.
UPDATE dead_letter SET decision = 'discarded', decided_at = $2, decided_by = $3, reason = $4
WHERE job_id = ANY ($1) AND decision = 'open'
