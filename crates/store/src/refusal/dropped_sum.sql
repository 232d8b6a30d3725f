-- refusal/dropped_sum.sql: how many records are not listed of source $1 (NULL: of all sources).
SELECT coalesce(sum(refusals_dropped), 0)::bigint AS dropped FROM source WHERE $1::uuid IS NULL OR source_id = $1
