//! How PostgreSQL does, as the service sees it.

use super::label::LATENCY;
use super::{Age, Counter, Gauge, Label, Timing, rows};

const POOL: Label = Label::closed("pool", &["app", "sched"]);
const DIRECTION: Label = Label::closed("direction", &["back", "forward"]);
/// The tables whose rows come and go: where dead tuples hurt first.
const TABLE: Label = Label::closed("table", &HOT);

/// The tables of `jobengine_database_dead_tuples`.
pub const HOT: [&str; 10] = [
    "delayed",
    "delivery",
    "held",
    "lease",
    "outbox",
    "ready",
    "run",
    "tenant_clock",
    "waiting",
    "worker_session",
];

rows! {
    POOL_WAIT: Timing<1> = "jobengine_database_pool_wait_seconds" [POOL] in LATENCY,
        "How long a connection was waited for";
    TRANSACTIONS: Gauge<0> = "jobengine_database_transactions_open" [],
        "Transactions of this process open now";
    CONFLICTS: Counter<0> = "jobengine_database_conflicts_total" [],
        "Transactions tried again because they met another one";
    UNAVAILABLE: Counter<0> = "jobengine_database_unavailable_total" [],
        "Requests that found PostgreSQL away";
    CLOCK_STEPS: Counter<1> = "jobengine_database_clock_steps_total" [DIRECTION],
        "Times that the database's clock was set by a second or more";
    SNAPSHOT: Age<0> = "jobengine_database_oldest_snapshot_age_seconds" [],
        "Age of the oldest transaction that holds back the removal of dead rows, in the whole server";
    DEAD_TUPLES: Gauge<1> = "jobengine_database_dead_tuples" [TABLE],
        "Dead rows that vacuum has not removed yet";
}
