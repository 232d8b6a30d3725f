-- revocation/sweep.sql: forgets the tenant's revocations whose tokens have expired at $1; counts those that stand.
WITH swept AS (DELETE FROM revocation WHERE expires_at <= $1)
SELECT count(*) AS standing FROM revocation WHERE expires_at > $1
