-- finding/groups.sql: ids of the advisories that stand now for the groups $1.
SELECT group_key, array_agg(DISTINCT advisory_id ORDER BY advisory_id) AS advisories
FROM advisory WHERE group_key = ANY ($1) GROUP BY group_key
