-- lease/alone.sql: the first ready job of tenant $1 over the types $2 that is granted alone: its type and sort key.
SELECT head.job_type, head.sort_key FROM unnest($2::text[]) AS wanted (job_type)
CROSS JOIN LATERAL (
    SELECT job_type, sort_key, job_id FROM ready
    WHERE ready.tenant_id = $1 AND ready.job_type = wanted.job_type
        AND crashes > 0 AND (crashes + 1 >= max_crashes OR attempts + 1 >= max_attempts)
    ORDER BY ready.sort_key, ready.job_id LIMIT 1
) head
ORDER BY head.sort_key, head.job_id LIMIT 1
