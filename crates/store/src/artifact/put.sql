-- artifact/put.sql: artifact $4 of the attempt under fence $3 of job $2 of tenant $1. The attempt that holds the lease may
-- put it again, with other bytes: the last ones count.
INSERT INTO artifact (tenant_id, job_id, fence, name, media_type, digest, body, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (tenant_id, job_id, fence, name) DO UPDATE
SET media_type = excluded.media_type, digest = excluded.digest, body = excluded.body, created_at = excluded.created_at
