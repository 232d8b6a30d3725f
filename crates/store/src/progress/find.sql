-- progress/find.sql: how far the attempt at job $1 is.
SELECT attempt, session_id, started_at, progress_permille, progress_note, progress_at FROM lease WHERE job_id = $1
