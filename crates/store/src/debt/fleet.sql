-- debt/fleet.sql: how many images the fleet has.
SELECT count(*) AS images FROM image WHERE removed_at IS NULL
