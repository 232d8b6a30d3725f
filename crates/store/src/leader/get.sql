-- leader/get.sql: who does duty $1.
SELECT epoch, holder, until FROM leader WHERE duty = $1
