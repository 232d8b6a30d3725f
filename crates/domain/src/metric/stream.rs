//! What event streams count.

use super::{Counter, Gauge, Label, rows};

const KIND: Label = Label::closed("kind", &["sse", "ws"]);
const END: Label = Label::closed("reason", &["slow", "shutdown", "token", "expired"]);

rows! {
    STREAMS: Gauge<1> = "jobengine_streams" [KIND],
        "Event streams open now";
    EVENTS: Counter<0> = "jobengine_stream_events_total" [],
        "Events handed to the connections of readers";
    ENDED: Counter<1> = "jobengine_streams_ended_total" [END],
        "Streams that the service ended, by why; `slow` is a reader that was cut off";
    REFUSED: Counter<1> = "jobengine_streams_refused_total" [KIND],
        "Streams refused because the tenant or the node had too many";
}
