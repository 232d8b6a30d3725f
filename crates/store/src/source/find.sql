-- source/find.sql: the source called $1.
SELECT source_id FROM source WHERE name = $1
