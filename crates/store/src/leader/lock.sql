-- leader/lock.sql: who does duty $1, locked until the end of the transaction.
SELECT epoch, holder, until FROM leader WHERE duty = $1 FOR UPDATE
