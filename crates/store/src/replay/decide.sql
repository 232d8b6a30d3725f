-- replay/decide.sql: the open dead letters of the jobs $1 are decided at $3 by $4 for the reason $5: the jobs $2 replay them,
-- with payloads that differ by $6; one element of $1 and $2 a job.
UPDATE dead_letter SET decision = 'replayed', decided_at = greatest($3, opened_at), decided_by = $4, reason = $5, replay_id = t.new_id,
    payload_diff = $6
FROM unnest($1::uuid[], $2::uuid[]) AS t (job_id, new_id)
WHERE dead_letter.job_id = t.job_id AND decision = 'open'
