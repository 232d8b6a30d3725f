//! What the sending of webhooks counts. No tenant and no destination is a label: neither is bounded,
//! and both tell of somebody.

use super::label::LATENCY;
use super::{Counter, Label, Timing, rows};

const RESULT: Label = Label::closed("result", &["delivered", "refused", "unanswered", "denied"]);
const REASON: Label = Label::closed("reason", &["failing", "gone"]);

rows! {
    ATTEMPTS: Counter<1> = "jobengine_webhook_attempts_total" [RESULT],
        "Attempts at deliveries: `refused` is an answer other than 2xx, `denied` a URL or address that the policy does not let through";
    DURATION: Timing<1> = "jobengine_webhook_attempt_duration_seconds" [RESULT] in LATENCY,
        "How long an attempt took, name resolution included";
    PAUSED: Counter<1> = "jobengine_webhooks_paused_total" [REASON],
        "Webhooks that were paused because their receiver keeps failing or is gone";
}
