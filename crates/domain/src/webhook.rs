//! Webhooks: which events are told, how a delivery is signed, and when it is tried again.
//!
//! Headers and signature are those of Standard Webhooks (version 1.0.0), so that its libraries
//! verify our deliveries as they are.

mod filter;
mod schedule;
mod secret;

use crate::event::EventType;

pub use filter::{EVENT_TYPES_MAX, Filter, FilterError, JOB_TYPES_MAX};
pub use schedule::{
    ATTEMPTS, Ended, PAUSE_AFTER_MS, RETRY_AFTER_MAX_MS, SCHEDULE_MS, Verdict, after_attempt,
    keeps_failing,
};
pub use secret::{SECRET_MAX_BYTES, SECRET_MIN_BYTES, SecretError, WebhookSecret, signatures};

/// Webhooks of one tenant.
pub const WEBHOOKS_MAX: u32 = 50;
/// Deliveries of one webhook that wait; beyond it the webhook stays where it is in the stream.
pub const PENDING_MAX: u32 = 10_000;
/// Deliveries are kept so long.
pub const RETENTION_MS: u64 = 14 * 24 * 60 * 60 * 1_000;
/// An old secret signs so long beside its successor, unless somebody says otherwise.
pub const OVERLAP_S: u32 = 24 * 60 * 60;
/// Longest time that two secrets sign.
pub const OVERLAP_MAX_S: u32 = 7 * 24 * 60 * 60;

/// The event of a delivery that somebody asked for to see whether deliveries arrive: tried once.
pub const TEST: &str = EventType::WebhookTest.as_str();
