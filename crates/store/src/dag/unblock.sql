-- dag/unblock.sql: the jobs $1 no longer wait; the jobs $2 wait for $3 parents less.
WITH gone AS (DELETE FROM waiting WHERE job_id = ANY ($1) RETURNING 1),
fewer AS (
    UPDATE waiting SET parents_left = waiting.parents_left - less.parents
    FROM unnest($2::uuid[], $3::integer[]) AS less (job_id, parents)
    WHERE waiting.job_id = less.job_id RETURNING 1
)
SELECT (SELECT count(*) FROM gone) AS gone, (SELECT count(*) FROM fewer) AS fewer
