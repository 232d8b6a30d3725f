//! What became of a worker's attempts, counted.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::wire::report::Outcome;

/// What became of a worker's attempts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Accepted as succeeded.
    pub succeeded: u64,
    /// Accepted as failed.
    pub failed: u64,
    /// Accepted as canceled.
    pub canceled: u64,
    /// Given back undone.
    pub released: u64,
    /// Nothing of them counted: the lease was lost, or no report could be delivered.
    pub lost: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} succeeded, {} failed, {} canceled, {} released, {} lost",
            self.succeeded, self.failed, self.canceled, self.released, self.lost
        )
    }
}

/// A [`Tally`] in the making.
#[derive(Debug, Default)]
pub(super) struct Counters {
    succeeded: AtomicU64,
    failed: AtomicU64,
    canceled: AtomicU64,
    released: AtomicU64,
    lost: AtomicU64,
}

impl Counters {
    pub(super) fn accepted(&self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Succeeded => &self.succeeded,
            Outcome::Failed => &self.failed,
            Outcome::Canceled => &self.canceled,
            Outcome::Released => &self.released,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Tally {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tally {
            succeeded: read(&self.succeeded),
            failed: read(&self.failed),
            canceled: read(&self.canceled),
            released: read(&self.released),
            lost: read(&self.lost),
        }
    }
}
