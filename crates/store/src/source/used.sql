-- source/used.sql: whether something that stands came from source $1.
SELECT EXISTS (SELECT FROM advisory WHERE source_id = $1) OR EXISTS (SELECT FROM vex WHERE source_id = $1) AS used
