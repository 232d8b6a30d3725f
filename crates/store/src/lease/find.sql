-- lease/find.sql: the lease of job $1, kept from ending until this transaction does.
SELECT fence, token_hash FROM lease WHERE job_id = $1 FOR SHARE
