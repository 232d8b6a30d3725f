//! What the process tells about itself.

use super::{Counter, Gauge, Label, rows};

const VERSION: Label = Label::open("version", "the version that runs");

rows! {
    BUILD: Gauge<1> = "jobengine_build_info" [VERSION],
        "Always 1";
    LOG_LINES_DROPPED: Counter<0> = "jobengine_log_lines_dropped_total" [],
        "Lines of the log lost because they could not be written in time";
    SPANS_EXPORTED: Counter<0> = "jobengine_trace_spans_exported_total" [],
        "Spans that the collector took";
    SPANS_DROPPED: Counter<1> = "jobengine_trace_spans_dropped_total" [Label::closed("reason", &["queue_full", "export_failed"])],
        "Spans lost: nothing waits for the collector";
}
