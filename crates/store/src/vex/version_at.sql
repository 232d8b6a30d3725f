-- vex/version_at.sql: when the version with the digest $1 came first.
SELECT created_at FROM document WHERE digest = $1
