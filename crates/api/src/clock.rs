//! The one door to the process's clocks.
//!
//! No outcome of a job depends on them: the wall clock decides only whether a token has expired and
//! stamps ids of requests; everything that lasts is decided by the database's clock.

use std::time::{Instant, UNIX_EPOCH};

use jobengine_domain::time::Timestamp;

/// The wall clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the expiry of a token is the one thing the process's own clock decides"
)]
pub(crate) fn wall() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// A moment of this process, on both of its clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// What tokens are compared with.
    pub wall: Timestamp,
    /// What ages are measured by: it never goes back.
    pub monotonic: Instant,
}

/// This moment.
pub(crate) fn now() -> Now {
    Now {
        wall: wall(),
        monotonic: Instant::now(),
    }
}
