//! The eleven metrics of the scheduler's worker, names and labels as its dashboards know them.
//!
//! They come from the ledger, not from events: they move whether or not anybody listens.

use super::label::JOB_TIME;
use super::{Counter, Gauge, Label, Timing, rows};

/// The meter that these metrics belong to.
pub const METER: &str = "StellaOps.Scheduler.Worker";

const MODE: Label = Label::closed("mode", &["analysisOnly", "contentRefresh"]);
const PLANNED: Label = Label::closed("status", &["enqueued", "no_work", "failed"]);
const SEGMENT: Label = Label::closed("status", &["Completed", "persist_failed", "RunMissing"]);
const DELTA: Label = Label::closed("delta", &["true", "false"]);
const RESULT: Label = Label::closed("result", &["succeeded", "partial", "failed", "canceled"]);
const SCHEDULE: Label = Label::open(
    "scheduleId",
    "the schedule that started the run; `none` when a change did",
);

rows! {
    PLANNER_RUNS: Counter<2> = "scheduler_planner_runs_total" [MODE, PLANNED],
        "Runs that left planning";
    PLANNER_LATENCY: Timing<2> = "scheduler_planner_latency_seconds" [MODE, PLANNED] in JOB_TIME,
        "How long a run was in planning; 0 when there was no work";
    SEGMENTS: Counter<2> = "scheduler_runner_segments_total" [MODE, SEGMENT],
        "Segments whose findings took effect, could not be kept, or belonged to a run that was not there";
    IMAGES: Counter<2> = "scheduler_runner_images_total" [MODE, DELTA],
        "Images evaluated, by whether their findings changed";
    DELTAS: Counter<1> = "scheduler_runner_delta_total" [MODE],
        "New findings";
    DELTAS_CRITICAL: Counter<1> = "scheduler_runner_delta_critical_total" [MODE],
        "Findings that are critical now and were not: new, or rated anew";
    DELTAS_HIGH: Counter<1> = "scheduler_runner_delta_high_total" [MODE],
        "Findings that are high now and were not: new, or rated anew";
    DELTAS_KEV: Counter<1> = "scheduler_runner_delta_kev_total" [MODE],
        "Findings that are known to be exploited now and were not";
    RUN_DURATION: Timing<2> = "scheduler_run_duration_seconds" [MODE, RESULT] in JOB_TIME,
        "From the creation of a run to its completion";
    RUNS_ACTIVE: Gauge<1> = "scheduler_runs_active" [MODE],
        "Runs planned and not completed, all tenants";
    BACKLOG: Gauge<2> = "scheduler_runner_backlog" [MODE, SCHEDULE],
        "Segments of such runs that have not ended";
}
