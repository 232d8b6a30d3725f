-- debt/remove.sql: nothing is owed to the images $1.
DELETE FROM impact_debt WHERE image = ANY ($1)
