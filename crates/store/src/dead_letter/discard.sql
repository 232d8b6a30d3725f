-- dead_letter/discard.sql: the open dead letters of the jobs $1 are discarded at $2, and not before they were opened, by $3 for the reason $4.
UPDATE dead_letter SET decision = 'discarded', decided_at = greatest($2, opened_at), decided_by = $3, reason = $4
WHERE job_id = ANY ($1) AND decision = 'open'
