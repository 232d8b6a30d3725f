-- source/named.sql: the id of the source called $1.
SELECT source_id FROM source WHERE name = $1
