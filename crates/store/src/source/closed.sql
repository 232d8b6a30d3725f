-- source/closed.sql: the first of the sources called $1 for which nothing is taken now.
SELECT name, paused_at IS NOT NULL AS paused FROM source
WHERE name = ANY ($1) AND (paused_at IS NOT NULL OR NOT enabled) ORDER BY name LIMIT 1
