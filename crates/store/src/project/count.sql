-- project/count.sql: how many of the projects $1 exist.
SELECT count(*) AS found FROM project WHERE project_id = ANY ($1)
