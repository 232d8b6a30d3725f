-- lease/heads.sql: the types of the first $5 ready jobs of tenant $1 over all the types $2 together, in the order of claims.
-- Of each type, jobs with a sort key from $3 on, at most $4 of them. Locks nothing and lets nothing out: jobs that another
-- claimer holds or whose source is paused are counted too; the claim that follows passes over them. Jobs that are granted
-- alone are found by lease/alone.sql.
SELECT coalesce(array_agg(head.number ORDER BY head.sort_key, head.job_id), '{}') AS types
FROM (
    SELECT wanted.number, head.sort_key, head.job_id
    FROM unnest($2::text[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS wanted (job_type, first, jobs, number)
    CROSS JOIN LATERAL (
        SELECT sort_key, job_id FROM ready
        WHERE ready.tenant_id = $1 AND ready.job_type = wanted.job_type AND ready.sort_key >= wanted.first
            AND NOT (crashes > 0 AND (crashes + 1 >= max_crashes OR attempts + 1 >= max_attempts))
        ORDER BY ready.sort_key, ready.job_id LIMIT wanted.jobs
    ) head
    ORDER BY head.sort_key, head.job_id LIMIT $5
) head
