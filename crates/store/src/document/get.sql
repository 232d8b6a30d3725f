-- document/get.sql: the documents with the digests $1.
SELECT digest, body FROM document WHERE digest = ANY ($1)
