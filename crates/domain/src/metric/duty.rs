//! What the driver of the background passes counts.

use super::label::LATENCY;
use super::{Counter, Label, Timing, rows};

const DUTY: Label = Label::open("duty", "the name of a background pass");
const RESULT: Label = Label::closed("result", &["done", "failed"]);

rows! {
    PASSES: Counter<2> = "jobengine_duty_passes_total" [DUTY, RESULT],
        "Passes made";
    DURATION: Timing<1> = "jobengine_duty_pass_duration_seconds" [DUTY] in LATENCY,
        "How long a pass took";
    DONE: Counter<1> = "jobengine_duty_items_total" [DUTY],
        "Things that passes dealt with";
}
