-- job/edges.sql: child $3 waits for parent $2 under policy $4, in run $5 of tenant $1; one element an edge.
INSERT INTO edge (tenant_id, run_id, parent_id, child_id, policy)
SELECT $1, $5, t.parent_id, t.child_id, t.policy
FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS t (parent_id, child_id, policy)
