-- run/count.sql: adds the ends of some jobs to their runs: ($1 run, $2 succeeded, $3 failed, $4 canceled,
-- $5 skipped, $6 attempts, $7 expired leases), one entry a run; the last of them ended at $8. A run ends after that, and after
-- everything before, whatever the clock says.
UPDATE run SET
    jobs_succeeded = run.jobs_succeeded + added.succeeded,
    jobs_failed = run.jobs_failed + added.failed,
    jobs_canceled = run.jobs_canceled + added.canceled,
    jobs_skipped = run.jobs_skipped + added.skipped,
    attempts = run.attempts + added.attempts,
    leases_expired = run.leases_expired + added.expired,
    since = greatest(run.since, added.at)
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
        $8::timestamptz[])
    AS added (run_id, succeeded, failed, canceled, skipped, attempts, expired, at)
WHERE run.run_id = added.run_id AND run.finished_at IS NULL
RETURNING run.run_id, run.jobs_total, run.jobs_succeeded, run.jobs_failed, run.jobs_canceled, run.jobs_skipped,
    run.started_at IS NOT NULL AS started, run.since
