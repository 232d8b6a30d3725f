-- source/delete.sql: source $1, when it still is version $2 and holds nothing.
DELETE FROM source WHERE source_id = $1 AND version = $2 AND NOT holds
