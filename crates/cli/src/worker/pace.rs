//! A bound on the images begun in a second.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Gives each image its turn. Shared by all segments of a worker.
#[derive(Debug)]
pub(super) struct Pace {
    /// Between two images; none without a bound.
    gap: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// At most so many images a second.
    pub(super) fn new(images_per_second: Option<u32>) -> Self {
        Self {
            gap: images_per_second
                .map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate.max(1)),
            next: Mutex::new(None),
        }
    }

    /// Takes the next turn: how long to wait for it from `now`.
    pub(super) fn turn(&self, now: Instant) -> Duration {
        if self.gap.is_zero() {
            return Duration::ZERO;
        }
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.unwrap_or(now).max(now);
        *next = Some(turn + self.gap);
        turn - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_a_gap_apart_and_none_are_saved_up() {
        let pace = Pace::new(Some(4));
        let start = Instant::now();
        let gap = Duration::from_millis(250);
        assert_eq!(pace.turn(start), Duration::ZERO);
        assert_eq!(pace.turn(start), gap);
        assert_eq!(pace.turn(start), gap * 2);
        let later = start + gap * 40;
        assert_eq!(pace.turn(later), Duration::ZERO);
        assert_eq!(pace.turn(later), gap);
    }

    #[test]
    fn without_a_bound_nobody_waits() {
        let pace = Pace::new(None);
        let now = Instant::now();
        assert_eq!([pace.turn(now), pace.turn(now)], [Duration::ZERO; 2]);
    }
}
