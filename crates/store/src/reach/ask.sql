-- reach/ask.sql: nothing but an answer.
SELECT 1
