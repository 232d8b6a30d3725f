-- project/delete.sql: project $1, when it still is version $2, and no job or run belongs to it.
DELETE FROM project WHERE project_id = $1 AND version = $2
    AND NOT EXISTS (SELECT FROM job WHERE job.project_id = $1) AND NOT EXISTS (SELECT FROM run WHERE run.project_id = $1)
