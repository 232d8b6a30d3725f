-- claim_answer/put.sql: the last keyed claims of the sessions $2 of tenant $1, under the keys $3 for the requests $4, were
-- given $5 at $6. One element of each array a session.
INSERT INTO claim_answer (tenant_id, session_id, key_hash, request_digest, answer, answered_at)
SELECT $1, t.session_id, t.key_hash, t.request_digest, t.answer, $6
FROM unnest($2::uuid[], $3::bytea[], $4::bytea[], $5::bytea[]) AS t (session_id, key_hash, request_digest, answer)
ON CONFLICT (tenant_id, session_id) DO UPDATE
SET key_hash = excluded.key_hash, request_digest = excluded.request_digest, answer = excluded.answer,
    answered_at = excluded.answered_at
