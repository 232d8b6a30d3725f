//! Leases: the timed right to run one attempt, and the fence that makes it safe.
//!
//! A lease is advice, the fence is the law: time only decides when somebody else may try, the
//! fence decides whose report counts.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::defaults::{HEARTBEATS_PER_LEASE, LEASE_MAX_MS, LEASE_MIN_MS};

/// Rises at every grant of every job; a report under a lower fence than the current one is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(pub i64);

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How long a lease lasts without a heartbeat, in milliseconds, within the installation's bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct LeaseMs(u32);

/// A lease that is too short or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a lease of {0} ms is outside {LEASE_MIN_MS} to {LEASE_MAX_MS} ms")]
pub struct LeaseOutOfBounds(pub u32);

impl LeaseMs {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`LeaseOutOfBounds`] below one second or above one hour.
    pub const fn new(ms: u32) -> Result<Self, LeaseOutOfBounds> {
        if ms < LEASE_MIN_MS || ms > LEASE_MAX_MS {
            Err(LeaseOutOfBounds(ms))
        } else {
            Ok(Self(ms))
        }
    }

    /// The lease in milliseconds.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// How often a worker should send a heartbeat, in milliseconds.
    pub const fn heartbeat_ms(self) -> u32 {
        self.0 / HEARTBEATS_PER_LEASE
    }
}
