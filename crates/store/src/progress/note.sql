-- progress/note.sql: the jobs $1, held under the fences $2, are so far ($3, thousandths; $4, in words) at $5. Locked in the
-- order of their ids, as everywhere.
WITH said AS MATERIALIZED (
    SELECT lease.job_id, t.permille, t.note FROM lease
    JOIN unnest($1::uuid[], $2::bigint[], $3::smallint[], $4::text[]) AS t (job_id, fence, permille, note)
        ON lease.job_id = t.job_id AND lease.fence = t.fence
    ORDER BY lease.job_id FOR NO KEY UPDATE OF lease
)
UPDATE lease SET progress_permille = said.permille, progress_note = said.note, progress_at = $5
FROM said WHERE lease.job_id = said.job_id
