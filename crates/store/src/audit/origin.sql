-- audit/origin.sql: what names this installation.
SELECT 'urn:uuid:' || installation_id() AS origin
