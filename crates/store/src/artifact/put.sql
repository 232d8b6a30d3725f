-- artifact/put.sql: artifact $4 of the attempt under fence $3 of job $2 of tenant $1; the same name again replaces nothing.
INSERT INTO artifact (tenant_id, job_id, fence, name, media_type, digest, body, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (tenant_id, job_id, fence, name) DO NOTHING
