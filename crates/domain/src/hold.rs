//! Why a job is not running, and when it may at the earliest.

use std::fmt;

use crate::state::JobState;
use crate::time::Timestamp;

/// The reason a job waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// Some parent in its DAG has not ended.
    Dependency,
    /// It was asked not to start before a moment.
    NotBefore,
    /// An attempt failed, and the next one waits a while.
    Backoff,
    /// Its source is paused.
    Paused,
    /// It may start: no worker has asked for it yet.
    NoWorker,
}

impl Hold {
    /// Every hold, in the order in which they are looked at: the first one is told.
    pub const ALL: [Self; 5] = [
        Self::Dependency,
        Self::Paused,
        Self::NotBefore,
        Self::Backoff,
        Self::NoWorker,
    ];

    /// The wire spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dependency => "dependency",
            Self::NotBefore => "not_before",
            Self::Backoff => "backoff",
            Self::Paused => "paused",
            Self::NoWorker => "no_worker",
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How it stands with the start of a job's next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It waits.
    Waits {
        /// Why.
        hold: Hold,
        /// When it may start at the earliest; `None` when that hangs on others.
        earliest: Option<Timestamp>,
    },
    /// An attempt is under way.
    Runs,
    /// It has ended: no attempt follows.
    Ended,
}

/// Says why a job in this state is not running at `now`. `not_before` is what its submitter asked for; `paused` says
/// whether its source is.
pub fn explain(
    state: JobState,
    not_before: Option<Timestamp>,
    paused: bool,
    now: Timestamp,
) -> Standing {
    let waits = |hold, earliest| Standing::Waits { hold, earliest };
    match state {
        JobState::Blocked => waits(Hold::Dependency, not_before.filter(|at| *at > now)),
        // When it may start is for those to say who paused it.
        JobState::Queued { .. } if paused => waits(Hold::Paused, None),
        JobState::Queued {
            ready_at, attempts, ..
        } => match (ready_at > now, attempts) {
            (false, _) => waits(Hold::NoWorker, Some(now)),
            (true, 0) => waits(Hold::NotBefore, Some(ready_at)),
            (true, _) => waits(Hold::Backoff, Some(ready_at)),
        },
        JobState::Leased { .. } => Standing::Runs,
        JobState::Succeeded
        | JobState::Failed { .. }
        | JobState::Canceled
        | JobState::TimedOut
        | JobState::Skipped => Standing::Ended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease::Fence;

    const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

    fn check(state: JobState, not_before: Option<Timestamp>, expected: Standing) {
        assert_eq!(explain(state, not_before, false, NOW), expected);
    }

    fn queued(ready_at: Timestamp, attempts: u32) -> JobState {
        JobState::Queued {
            ready_at,
            attempts,
            crashes: 0,
        }
    }

    #[test]
    fn the_first_hold_is_told_with_the_earliest_moment() {
        let later = NOW.plus_ms(9_000);
        let waits = |hold, earliest| Standing::Waits { hold, earliest };
        check(JobState::Blocked, None, waits(Hold::Dependency, None));
        check(
            JobState::Blocked,
            Some(later),
            waits(Hold::Dependency, Some(later)),
        );
        check(queued(later, 0), None, waits(Hold::NotBefore, Some(later)));
        check(queued(later, 2), None, waits(Hold::Backoff, Some(later)));
        check(queued(NOW, 2), None, waits(Hold::NoWorker, Some(NOW)));
        let leased = JobState::Leased {
            attempt: 1,
            fence: Fence(1),
            crashes: 0,
        };
        check(leased, None, Standing::Runs);
        check(JobState::Skipped, None, Standing::Ended);
        let paused = explain(queued(later, 2), None, true, NOW);
        assert_eq!(paused, waits(Hold::Paused, None));
        assert_eq!(explain(leased, None, true, NOW), Standing::Runs);
    }
}
