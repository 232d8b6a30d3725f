//! Background passes, and the driver that times them.
//!
//! A duty is one bounded, repeatable pass; whatever it does, it does under the guards of the
//! store, so that two replicas may run the same duty at once. It knows nothing of HTTP.

pub mod audit_copy;
pub mod audit_seal;
pub mod bulk;
pub mod clock;
pub mod completion;
pub mod dpop_proofs;
pub mod driver;
pub mod egress;
pub mod event_trim;
pub mod gauge;
pub mod history_trim;
pub mod hold;
pub mod idempotency_expiry;
pub mod job_deadline;
pub mod lease_reaper;
pub mod log_trim;
pub mod outbox;
pub mod partition;
pub mod planner;
pub mod scheduler_metrics;
mod spool;
mod tenants;
pub mod webhook;
