-- revocation/remove.sql: takes back revocation $1.
DELETE FROM revocation WHERE revocation_id = $1
