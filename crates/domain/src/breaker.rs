//! A breaker: stops asking somebody who does not answer, and finds out when they do again.

use crate::time::Timestamp;

/// Failures in a row that open a breaker.
pub const FAILURES: u32 = 5;
/// How long a breaker stays open the first time; it doubles each time a probe fails.
pub const OPEN_MS: u64 = 30_000;
/// A breaker never stays open longer at a time.
pub const OPEN_MAX_MS: u64 = 10 * 60 * 1_000;
/// A probe that has not reported after so long is forgotten, and another one is let through.
pub const PROBE_MS: u64 = 60_000;

/// A breaker's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// Everything passes.
    Closed {
        /// Failures since the last success.
        failures: u32,
    },
    /// Nothing passes.
    Open {
        /// Until then.
        until: Timestamp,
        /// How often it has opened since it was closed.
        times: u32,
    },
    /// One probe is under way, and nothing else passes.
    HalfOpen {
        /// When the probe was let through.
        since: Timestamp,
        /// How often the breaker has opened since it was closed.
        times: u32,
    },
}

/// What may pass now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// As much as one likes.
    Free,
    /// One request, whose end is to be recorded.
    Probe,
    /// Nothing before this moment.
    Shut {
        /// When to ask again.
        until: Timestamp,
    },
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    /// What may pass at `now`, and the state it leaves.
    #[must_use]
    pub fn admit(self, now: Timestamp) -> (Self, Passage) {
        let probe = |times| (Self::HalfOpen { since: now, times }, Passage::Probe);
        match self {
            Self::Closed { .. } => (self, Passage::Free),
            Self::Open { until, times } if until <= now => probe(times),
            Self::Open { until, .. } => (self, Passage::Shut { until }),
            Self::HalfOpen { since, times } => {
                let until = since.plus_ms(PROBE_MS);
                if until <= now {
                    probe(times)
                } else {
                    (self, Passage::Shut { until })
                }
            }
        }
    }

    /// The state after something that had passed ended at `now`, well or not.
    #[must_use]
    pub fn record(self, well: bool, now: Timestamp) -> Self {
        if well {
            return Self::default();
        }
        match self {
            Self::Closed { failures } if failures.saturating_add(1) < FAILURES => Self::Closed {
                failures: failures.saturating_add(1),
            },
            Self::Closed { .. } => Self::opened(1, now),
            Self::HalfOpen { times, .. } => Self::opened(times.saturating_add(1), now),
            // It passed before the breaker opened: the news is known already.
            Self::Open { .. } => self,
        }
    }

    fn opened(times: u32, now: Timestamp) -> Self {
        let doublings = times.saturating_sub(1).min(16);
        let until = now.plus_ms((OPEN_MS << doublings).min(OPEN_MAX_MS));
        Self::Open { until, times }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_micros(ms * 1_000)
    }

    #[test]
    fn opens_after_failures_in_a_row_and_closes_with_one_good_probe() {
        let mut breaker = Breaker::default();
        for _ in 1..FAILURES {
            breaker = breaker.record(false, at(0));
            assert_eq!(breaker.admit(at(0)).1, Passage::Free);
        }
        breaker = breaker.record(false, at(0));
        assert_eq!(
            breaker.admit(at(29_999)).1,
            Passage::Shut { until: at(30_000) }
        );
        let (half, passage) = breaker.admit(at(30_000));
        assert_eq!(passage, Passage::Probe);
        assert_eq!(
            half.admit(at(30_001)).1,
            Passage::Shut { until: at(90_000) }
        );
        assert_eq!(half.record(true, at(30_002)), Breaker::default());
        let again = half.record(false, at(31_000));
        assert_eq!(
            again.admit(at(31_000)).1,
            Passage::Shut { until: at(91_000) }
        );
        // A probe that never came back does not shut the door for good.
        assert_eq!(half.admit(at(90_000)).1, Passage::Probe);
    }

    #[test]
    fn a_success_between_failures_keeps_it_closed() {
        let breaker = (0..100).fold(Breaker::default(), |breaker, turn| {
            breaker.record(turn % 3 == 0, at(turn))
        });
        assert_eq!(breaker.admit(at(100)).1, Passage::Free);
    }

    proptest! {
        /// BREAKER-1: it is never shut longer than its longest term ahead, and after that lets one through.
        #[test]
        fn never_shut_for_good(ends in prop::collection::vec((any::<bool>(), 0i64..600_000), 0..60)) {
            let (mut breaker, mut now) = (Breaker::default(), 0);
            for (well, pause) in ends {
                now += pause;
                let (next, passage) = breaker.admit(at(now));
                breaker = next;
                match passage {
                    Passage::Shut { until } => {
                        prop_assert!(until > at(now) && until <= at(now).plus_ms(OPEN_MAX_MS));
                        let opens = !matches!(breaker.admit(until).1, Passage::Shut { .. });
                        prop_assert!(opens);
                    }
                    Passage::Free | Passage::Probe => breaker = breaker.record(well, at(now)),
                }
            }
        }

        /// BREAKER-2: while a probe is under way nothing else passes.
        #[test]
        fn one_probe_at_a_time(waits in prop::collection::vec(0i64..60_000, 1..20)) {
            let open = (0..FAILURES).fold(Breaker::default(), |breaker, _| breaker.record(false, at(0)));
            let (half, passage) = open.admit(at(30_000));
            prop_assert_eq!(passage, Passage::Probe);
            for wait in waits {
                let shut = matches!(half.admit(at(30_000 + wait)).1, Passage::Shut { .. });
                prop_assert!(shut);
            }
        }
    }
}
