-- administration/checkpoint.sql: everything written so far is in the data files.
CHECKPOINT
