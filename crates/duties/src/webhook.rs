//! Webhooks: each is told of the events it asked for, at least once, however long its receiver takes.
//!
//! Three duties share the work. One follows every webhook's place in its tenant's stream and makes
//! deliveries; one sends them; one removes what is old. What stands between them is the ledger: a
//! process may end at any moment and another one goes on.

mod at_work;
mod breakers;
mod fan_out;
mod retention;
mod sender;
mod sending;

pub use fan_out::WebhookFanOut;
pub use retention::WebhookRetention;
pub use sender::WebhookSender;
