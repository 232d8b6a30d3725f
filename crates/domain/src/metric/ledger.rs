//! What happens to jobs, counted when it is committed.

use super::label::{CLASS, JOB_TIME, OPERATION};
use super::{Age, Counter, Gauge, Label, Timing, rows};

const CAUSE: Label = Label::closed(
    "cause",
    &[
        "succeeded",
        "failed",
        "canceled",
        "timed_out",
        "released",
        "expired",
    ],
);
const END: Label = Label::closed(
    "state",
    &["succeeded", "failed", "canceled", "timed_out", "skipped"],
);
/// Where a job stands that has not ended. `queued` is told apart: `delayed` may not start yet, `held` may not because
/// its source is paused.
const PLACE: Label = Label::closed("state", &["blocked", "ready", "delayed", "held", "leased"]);

const DEBT: Label = Label::closed("debt", &["waiting", "paying"]);
const EFFECT: Label = Label::closed("effect", &["refused", "partial"]);

rows! {
    CLAIMS: Counter<0> = "jobengine_claims_total" [],
        "Claims answered";
    GRANTS: Counter<0> = "jobengine_grants_total" [],
        "Attempts handed to workers";
    UNDELIVERED: Counter<0> = "jobengine_grants_undelivered_total" [],
        "Attempts given back because their claimer had gone";
    WAIT: Timing<0> = "jobengine_job_wait_seconds" [] in JOB_TIME,
        "From the submit of a job to its first grant, its wait for parents and for its earliest start included";
    ATTEMPTS: Counter<2> = "jobengine_attempts_total" [CAUSE, CLASS],
        "Attempts that ended, by how and by failure class; `expired` means that no heartbeat came";
    ATTEMPT_DURATION: Timing<1> = "jobengine_attempt_duration_seconds" [CAUSE] in JOB_TIME,
        "From the grant of an attempt to its end";
    ENDED: Counter<1> = "jobengine_jobs_ended_total" [END],
        "Jobs that reached their last state";
    LEASES_LOST: Counter<1> = "jobengine_leases_lost_total" [OPERATION],
        "Writes of workers refused because their lease was lost: stale reports, heartbeats, artifacts";
    JOBS: Gauge<1> = "jobengine_jobs" [PLACE],
        "Jobs that have not ended, all tenants; an estimate beyond 100,000";
    OLDEST: Age<1> = "jobengine_jobs_oldest_age_seconds" [PLACE],
        "Since the submit of the oldest job in the state; of 100,000 at most that are looked at";
    WORKERS: Gauge<0> = "jobengine_workers" [],
        "Workers that were heard of within the time of their lease, all tenants";
    SLOTS: Gauge<0> = "jobengine_worker_slots" [],
        "Jobs that these workers do at once, of those that say so; in use are the `leased` of `jobengine_jobs`";
    UNREAD: Gauge<1> = "jobengine_unread_records" [EFFECT],
        "Records of sources that could not be read when they came last, as `GET /refusals` lists them, all tenants; of 100,000 at most";
    DEBTS: Gauge<1> = "jobengine_impact_debts" [DEBT],
        "Images that impact runs left out, as `GET /debts` lists them, all tenants; of 100,000 at most";
    DEBTS_OLDEST: Age<0> = "jobengine_impact_debts_oldest_age_seconds" [],
        "Since the first run left out the image that is owed longest";
    OUTBOX: Gauge<0> = "jobengine_outbox_pending" [],
        "Messages in the outbox that are not delivered";
    OUTBOX_OLDEST: Age<0> = "jobengine_outbox_oldest_age_seconds" [],
        "Since the oldest message that is not delivered was written";
}
