-- hold/sources.sql: the sources that hold jobs, kept as they are until this transaction ends.
SELECT source_id, name, paused_at IS NOT NULL AS paused FROM source WHERE holds ORDER BY source_id FOR UPDATE
