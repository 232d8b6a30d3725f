-- run_plan/edges.sql: who waits for the jobs $1, in the order of children and parents.
SELECT edge.parent_id, edge.child_id, edge.policy FROM edge
WHERE edge.parent_id = ANY ($1) ORDER BY edge.child_id, edge.parent_id
