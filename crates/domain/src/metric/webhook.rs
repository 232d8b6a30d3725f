//! What the sending of webhooks counts. No tenant and no destination is a label: neither is bounded,
//! and both tell of somebody.

use super::label::LATENCY;
use super::{Age, Counter, Gauge, Label, Timing, rows};

const RESULT: Label = Label::closed("result", &["delivered", "refused", "unanswered", "denied"]);
const REASON: Label = Label::closed("reason", &["failing", "gone"]);
const END: Label = Label::closed("state", &["delivered", "failed"]);
/// Whether a webhook is told of events, and why not.
const STAND: Label = Label::closed("state", &["active", "operator", "failing", "gone"]);

rows! {
    ATTEMPTS: Counter<1> = "jobengine_webhook_attempts_total" [RESULT],
        "Attempts at deliveries: `refused` is an answer other than 2xx, `denied` a URL or address that the policy does not let through";
    DURATION: Timing<1> = "jobengine_webhook_attempt_duration_seconds" [RESULT] in LATENCY,
        "How long an attempt took, name resolution included";
    ENDED: Counter<1> = "jobengine_webhook_deliveries_ended_total" [END],
        "Deliveries that arrived, or were given up after their last attempt";
    PENDING: Gauge<0> = "jobengine_webhook_deliveries_pending" [],
        "Deliveries that wait for an attempt, all tenants, those of paused webhooks included; counted up to 100,000";
    OLDEST: Age<0> = "jobengine_webhook_deliveries_oldest_age_seconds" [],
        "Since the oldest of them was made; of 100,000 at most that are looked at";
    WEBHOOKS: Gauge<1> = "jobengine_webhooks" [STAND],
        "Webhooks, all tenants: active, or paused by an operator, by failures, or by a receiver that is gone";
    PAUSED: Counter<1> = "jobengine_webhooks_paused_total" [REASON],
        "Webhooks that were paused because their receiver keeps failing or is gone";
}
