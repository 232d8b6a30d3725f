-- hold/sweep.sql: of up to $4 ready jobs after ($1 type, $2 sort key, $3 id), those of the sources called $5 are held.
-- The answer is the last one looked at, with how many there were and how many of them are held now.
WITH scanned AS MATERIALIZED (
    SELECT ready.job_type, ready.sort_key, ready.job_id, job.source
    FROM ready JOIN job ON job.tenant_id = ready.tenant_id AND job.job_id = ready.job_id
    WHERE (ready.job_type, ready.sort_key, ready.job_id) > ($1::text, $2::bigint, $3::uuid)
    ORDER BY ready.job_type, ready.sort_key, ready.job_id LIMIT $4
), gone AS (
    DELETE FROM ready USING scanned
    WHERE scanned.source = ANY ($5) AND ready.job_type = scanned.job_type AND ready.sort_key = scanned.sort_key
        AND ready.job_id = scanned.job_id
    RETURNING ready.*, scanned.source
), kept AS (
    INSERT INTO held (tenant_id, job_id, source, job_type, sort_key, run_id, attempts, crashes, max_attempts, max_crashes,
        deadline, has_children, since)
    SELECT tenant_id, job_id, source, job_type, sort_key, run_id, attempts, crashes, max_attempts, max_crashes, deadline,
        has_children, since
    FROM gone
)
SELECT job_type, sort_key, job_id, (SELECT count(*) FROM scanned) AS scanned, (SELECT count(*) FROM gone) AS held
FROM scanned ORDER BY job_type DESC, sort_key DESC, job_id DESC LIMIT 1
