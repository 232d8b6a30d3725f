-- tenant/knows.sql: whether tenant $1 exists, and its project $2 (NULL: none is asked for).
SELECT EXISTS (SELECT FROM tenant WHERE tenant_id = $1)
    AND ($2::uuid IS NULL OR EXISTS (SELECT FROM project WHERE tenant_id = $1 AND project_id = $2)) AS knows
