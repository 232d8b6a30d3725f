-- image/numbers.sql: numbers of the images of the fleet in repository $1 and namespace $2 (NULL: any).
SELECT image_no FROM image
WHERE removed_at IS NULL AND ($1::text IS NULL OR repository = $1) AND ($2::text IS NULL OR namespace = $2)
