-- bulk/cancel.sql: bulk action $1 stops at $2, unless it has ended; what was done stays done.
UPDATE bulk_action SET state = 'canceled', finished_at = greatest($2, created_at) WHERE bulk_id = $1 AND state = 'running'
