//! Who goes next: one number fixed at the enqueue.
//!
//! A job's key is its tenant's virtual time less the head start of its priority band. Virtual time
//! is real time in microseconds while a tenant stays within its share, and runs ahead of it when
//! the tenant floods: each job costs its share, so a flood pushes only its own later jobs back.
//! Because every head start is bounded, every job is first some day: nothing starves.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A priority band.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Goes two minutes behind its time.
    Low,
    /// Goes at its time.
    #[default]
    Normal,
    /// Goes two minutes ahead.
    High,
    /// Goes thirty minutes ahead.
    Emergency,
}

impl Priority {
    /// Every band, least urgent first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Normal, Self::High, Self::Emergency];

    /// The wire and column spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Emergency => "emergency",
        }
    }

    /// The key of a job that gets this band instead of `from`: its virtual time stays what it was.
    pub const fn rekey(self, key: i64, from: Self) -> i64 {
        key.saturating_add(from.head_start_us())
            .saturating_sub(self.head_start_us())
    }

    /// The band in which a job stands by its key, when it was submitted in band `first` under the key
    /// `submitted`.
    pub fn of_key(key: i64, first: Self, submitted: i64) -> Self {
        let stands = |band: &Self| band.rekey(submitted, first) == key;
        Self::ALL.into_iter().find(stands).unwrap_or(first)
    }

    const fn head_start_us(self) -> i64 {
        const MINUTE: i64 = 60_000_000;
        match self {
            Self::Low => -2 * MINUTE,
            Self::Normal => 0,
            Self::High => 2 * MINUTE,
            Self::Emergency => 30 * MINUTE,
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A band nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a priority: low, normal, high or emergency")]
pub struct UnknownPriority(pub String);

impl FromStr for Priority {
    type Err = UnknownPriority;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|band| band.as_str() == text)
            .ok_or_else(|| UnknownPriority(text.to_owned()))
    }
}

/// A tenant's virtual time, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VirtualTime(pub i64);

/// What one job costs a tenant of weight 1: a tenant that submits faster than a thousand jobs a
/// second runs ahead of real time and queues behind the others.
const JOB_COST_US: i64 = 1_000;

impl VirtualTime {
    /// Gives out keys for a batch of jobs in order and returns the tenant's new virtual time.
    /// `weight` is the tenant's share, from 1.
    pub fn advance(self, now: Timestamp, weight: u32, bands: &[Priority]) -> (Vec<i64>, Self) {
        let cost = (JOB_COST_US / i64::from(weight.max(1))).max(1);
        let mut at = self.0.max(now.as_micros());
        let keys = bands
            .iter()
            .map(|band| {
                let key = at.saturating_sub(band.head_start_us());
                at = at.saturating_add(cost);
                key
            })
            .collect();
        (keys, Self(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_pushes_only_itself_back() {
        let now = Timestamp::from_micros(1_000_000_000);
        let (flood, ahead) = VirtualTime(0).advance(now, 1, &[Priority::Normal; 10_000]);
        let (quiet, _) = VirtualTime(0).advance(now.plus_ms(1), 1, &[Priority::Normal]);
        assert!(flood.iter().filter(|key| **key < quiet[0]).count() <= 1);
        assert_eq!(ahead.0, now.as_micros() + 10_000 * JOB_COST_US);
        assert!(flood.is_sorted());
    }

    #[test]
    fn a_band_can_be_changed_and_read_off_the_key() {
        for first in Priority::ALL {
            for then in Priority::ALL {
                let key = then.rekey(7_000_000, first);
                assert_eq!(Priority::of_key(key, first, 7_000_000), then);
                assert_eq!(first.rekey(key, then), 7_000_000);
                assert_eq!(key < 7_000_000, then > first);
            }
        }
    }

    #[test]
    fn bands_have_bounded_head_starts() {
        let now = Timestamp::from_micros(10_000_000_000);
        let (keys, _) = VirtualTime(0).advance(now, 1_000, &Priority::ALL);
        assert!(
            keys.is_sorted_by(|a, b| a > b),
            "more urgent bands go first: {keys:?}"
        );
        let later = now.plus_ms(33 * 60 * 1_000);
        let (emergency, _) = VirtualTime(0).advance(later, 1, &[Priority::Emergency]);
        assert!(
            keys[0] < emergency[0],
            "a low job is first after half an hour"
        );
    }
}
