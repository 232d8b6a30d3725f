-- dead_letter/assign.sql: $2 looks after the open dead letter of job $1 (NULL: nobody).
UPDATE dead_letter SET owner = $2 WHERE job_id = $1 AND decision = 'open'
