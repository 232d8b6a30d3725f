-- vex/replace.sql: at location $3 of source $2 of tenant $1 stands VEX document $4 with the content $5, instead of another.
UPDATE vex SET document_id = $4, digest = $5 WHERE tenant_id = $1 AND source_id = $2 AND location = $3
