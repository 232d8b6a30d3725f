-- project/insert.sql: project $2 of tenant $1 called $3, described as $4, made at $5; none when the name is taken.
INSERT INTO project (tenant_id, project_id, name, description, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, lower(name)) DO NOTHING
