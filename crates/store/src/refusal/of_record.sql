-- refusal/of_record.sql: the refusals of record $2 of kind $1, from whatever source.
WITH found AS MATERIALIZED (
    SELECT tenant_id, source_id, kind, record, named, effect, code, place, detail, problems, digest, first_seen_at, last_seen_at
    FROM refusal WHERE kind = $1 AND record = $2
)
SELECT source_id, (SELECT name FROM source WHERE source.tenant_id = found.tenant_id AND source.source_id = found.source_id) AS source,
    kind, record, named, effect, code, place, detail, problems, digest, first_seen_at, last_seen_at
FROM found ORDER BY source
