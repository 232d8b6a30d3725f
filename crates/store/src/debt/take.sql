-- debt/take.sql: run $1 pays the debts of the images $2, which no other run pays.
UPDATE impact_debt SET paid_by = $1 WHERE image = ANY ($2) AND paid_by IS NULL
