-- kev/current.sql: the document of the catalogue that stands now.
SELECT digest FROM kev
