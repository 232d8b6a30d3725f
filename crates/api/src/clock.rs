//! The one door to the process's clocks.
//!
//! No outcome of a job depends on them: the wall clock decides only whether a token has expired and
//! stamps ids of requests; everything that lasts is decided by the database's clock.

use std::time::UNIX_EPOCH;

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
