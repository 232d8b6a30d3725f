-- refusal/list.sql: refusals after record $3 of kind $2 of source $1, up to source $4, at most $7: of kind $5, with effect $6
-- (NULL: any). The page is cut before the names are looked up: a join with all sources could be begun at their end.
WITH page AS MATERIALIZED (
    SELECT tenant_id, source_id, kind, record, named, effect, code, place, detail, problems, digest, first_seen_at, last_seen_at
    FROM refusal
    WHERE (source_id, kind, record) > ($1::uuid, $2::text, $3::text) AND source_id <= $4
        AND ($5::text IS NULL OR kind = $5) AND ($6::text IS NULL OR effect = $6)
    ORDER BY source_id, kind, record LIMIT $7
)
SELECT source_id, (SELECT name FROM source WHERE source.tenant_id = page.tenant_id AND source.source_id = page.source_id) AS source,
    kind, record, named, effect, code, place, detail, problems, digest, first_seen_at, last_seen_at
FROM page ORDER BY source_id, kind, record
