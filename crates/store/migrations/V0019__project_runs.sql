-- A project is removed under the lock that submits take: whether a run belongs to it must be found at once.

CREATE INDEX run_project ON run (tenant_id, project_id) WHERE project_id IS NOT NULL; -- Serves project/delete.sql.
