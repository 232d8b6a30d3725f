-- document/body.sql: the document with digest $1, when it is of kind $2.
SELECT body FROM document WHERE digest = $1 AND kind = $2
