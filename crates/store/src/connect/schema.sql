-- connect/schema.sql: the last migration that ran.
SELECT coalesce(max(version), 0) AS version FROM refinery_schema_history
