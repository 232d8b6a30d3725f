-- project/update.sql: project $1, when it still is version $2, is called $3 and described as $4.
UPDATE project SET name = $3, description = $4, version = version + 1 WHERE project_id = $1 AND version = $2
