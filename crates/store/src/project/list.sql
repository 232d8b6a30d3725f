-- project/list.sql: projects after $1, at most $2; the one with id $3 only (NULL: all).
SELECT project_id, name, description, version, created_at FROM project
WHERE project_id > $1 AND ($3::uuid IS NULL OR project_id = $3) ORDER BY project_id LIMIT $2
