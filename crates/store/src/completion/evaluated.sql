-- completion/evaluated.sql: the findings of the images $1 stand for the SBOMs $2 now.
UPDATE image SET evaluated_sbom = done.sbom FROM unnest($1::bytea[], $2::bytea[]) AS done (digest, sbom)
WHERE image.digest = done.digest
