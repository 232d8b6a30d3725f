//! How long a lease lasts, by the worker's own steady clock.

use std::time::{Duration, Instant};

/// The margin kept before the end of a lease is a tenth of it, but not more than this.
const MARGIN_MAX: Duration = Duration::from_secs(2);

/// No heartbeat follows another one sooner, whatever the server says.
const INTERVAL_MIN: Duration = Duration::from_millis(50);

/// The length of leases and the interval of heartbeats, as the server last told them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Term {
    lease: Duration,
    pub(super) interval: Duration,
}

impl Term {
    pub(super) fn new(lease_ms: u64, heartbeat_ms: u64) -> Self {
        let lease = Duration::from_millis(lease_ms);
        let interval = Duration::from_millis(heartbeat_ms)
            .min(lease / 3)
            .max(INTERVAL_MIN);
        Self { lease, interval }
    }

    /// Until when a lease is surely held that the server granted, or confirmed, in answer to a
    /// request sent at `sent`: the server counted from a later moment.
    pub(super) fn until(self, sent: Instant) -> Instant {
        let margin = (self.lease / 10).min(MARGIN_MAX);
        sent + self.lease.saturating_sub(margin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_ends_early() {
        let sent = Instant::now();
        let check = |lease_ms, expected_ms| {
            let until = Term::new(lease_ms, lease_ms / 3).until(sent);
            assert_eq!(until - sent, Duration::from_millis(expected_ms));
        };
        check(30_000, 28_000);
        check(1_000, 900);
        check(0, 0);
    }

    #[test]
    fn heartbeats_neither_flood_nor_starve() {
        let interval = |lease_ms, heartbeat_ms| Term::new(lease_ms, heartbeat_ms).interval;
        assert_eq!(interval(30_000, 10_000), Duration::from_secs(10));
        assert_eq!(interval(30_000, 60_000), Duration::from_secs(10));
        assert_eq!(interval(30_000, 0), INTERVAL_MIN);
    }
}
