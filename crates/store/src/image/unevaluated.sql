-- image/unevaluated.sql: those of the images $1 whose findings do not stand for the SBOM they are made of now.
SELECT digest FROM image WHERE digest = ANY ($1) AND evaluated_sbom IS DISTINCT FROM sbom_digest
