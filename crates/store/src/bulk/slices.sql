-- bulk/slices.sql: slice $3 of bulk action $2 of tenant $1 is to do the things $4.
INSERT INTO bulk_slice (tenant_id, bulk_id, ordinal, items) VALUES ($1, $2, $3, $4)
