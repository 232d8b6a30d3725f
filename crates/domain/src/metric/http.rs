//! What the HTTP edge counts.

use super::label::{BATCH, LATENCY, OPERATION};
use super::{Counter, Gauge, Label, Sizes, Timing, rows};

const STATUS: Label = Label::open("status", "the status answered");
const CODE: Label = Label::open("code", "a stable code, see [problems](problems/README.md)");
const REASON: Label = Label::closed("reason", &["unauthenticated", "scope", "tenant"]);
const FLUSH: Label = Label::closed("kind", &["claim", "complete", "heartbeat", "submit"]);

rows! {
    REQUESTS: Counter<2> = "jobengine_http_requests_total" [OPERATION, STATUS],
        "Requests answered";
    DURATION: Timing<1> = "jobengine_http_request_duration_seconds" [OPERATION] in LATENCY,
        "From the head of a request to its answer; that of a claim includes its wait";
    CONNECTIONS: Gauge<0> = "jobengine_http_connections" [],
        "Connections open now";
    PROBLEMS: Counter<1> = "jobengine_http_problems_total" [CODE],
        "Requests answered with a problem";
    AUTH_FAILURES: Counter<1> = "jobengine_http_auth_failures_total" [REASON],
        "Requests refused because of who sent them: no valid token, a scope that is missing, another tenant named";
    REPLAYS: Counter<1> = "jobengine_http_idempotent_replays_total" [OPERATION],
        "Requests answered with the stored answer of their idempotency key";
    FLUSH_REQUESTS: Sizes<1> = "jobengine_flush_requests" [FLUSH] in BATCH,
        "Requests that shared one transaction";
    FLUSH_ITEMS: Sizes<1> = "jobengine_flush_items" [FLUSH] in BATCH,
        "Jobs, reports, sessions or grants in one transaction";
    FLUSH_REFUSED: Counter<1> = "jobengine_flush_refused_total" [FLUSH],
        "Requests refused because too many wait for a transaction";
}
