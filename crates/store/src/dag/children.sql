-- dag/children.sql: the children of the ended jobs $1 that still wait, locked; one row an edge.
SELECT edge.parent_id, edge.policy, waiting.job_id, waiting.run_id, waiting.job_type, waiting.sort_key,
    waiting.max_attempts, waiting.max_crashes, waiting.deadline, waiting.has_children, waiting.since, waiting.not_before,
    waiting.parents_left
FROM edge JOIN waiting ON waiting.tenant_id = edge.tenant_id AND waiting.job_id = edge.child_id
WHERE edge.parent_id = ANY ($1)
ORDER BY waiting.job_id, edge.parent_id
FOR UPDATE OF waiting
