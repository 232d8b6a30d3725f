-- finding/groups.sql: documents of the advisories that stand now for the groups $1.
SELECT DISTINCT digest FROM advisory WHERE group_key = ANY ($1) ORDER BY digest
