-- standing/ahead.sql: how many ready jobs of type $1 go before the key $2, counted up to $3, and how many workers are
-- heard of at $4.
SELECT
    (SELECT count(*) FROM (SELECT FROM ready WHERE job_type = $1 AND sort_key < $2 LIMIT $3) ahead) AS ahead,
    (SELECT count(*) FROM (SELECT FROM worker_session WHERE lease_until >= $4 LIMIT $3) worker) AS workers
