-- Repeats that are told from contradictions, claims that can each be repeated, and jobs that are granted alone.

-- What a report said, so that a repeat of it is told from another report under the same lease.
ALTER TABLE outcome ADD COLUMN report_digest bytea;
ALTER TABLE attempt ADD COLUMN report_digest bytea;
COMMENT ON COLUMN outcome.report_digest IS 'The first 16 bytes of the SHA-256 of the report that ended the attempt; NULL when no report did';
COMMENT ON COLUMN attempt.report_digest IS 'The first 16 bytes of the SHA-256 of the report that ended the attempt; NULL when no report did';

-- Each keyed claim is remembered with the answers of other keyed requests, not the last one of each session.
DROP TABLE claim_answer;

-- A job whose next lost worker would be its last is granted alone: to a session that holds nothing else.
-- Serves lease/alone.sql.
CREATE INDEX ready_alone ON ready (tenant_id, job_type, sort_key, job_id)
    WHERE crashes > 0 AND (crashes + 1 >= max_crashes OR attempts + 1 >= max_attempts);
-- Serves session/open.sql: which sessions hold such a job.
CREATE INDEX lease_alone ON lease (session_id)
    WHERE crashes > 0 AND (crashes + 1 >= max_crashes OR attempt >= max_attempts);
