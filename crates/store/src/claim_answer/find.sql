-- claim_answer/find.sql: what the last keyed claim of session $1, which $2 opened, was given, if it had the key $3.
SELECT claim_answer.request_digest, claim_answer.answer FROM claim_answer
JOIN worker_session ON worker_session.tenant_id = claim_answer.tenant_id
    AND worker_session.session_id = claim_answer.session_id
WHERE claim_answer.session_id = $1 AND worker_session.subject = $2 AND claim_answer.key_hash = $3
