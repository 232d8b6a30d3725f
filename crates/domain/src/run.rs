//! A run's state, read off the states of its jobs.

use serde::{Deserialize, Serialize};

/// How many of a run's jobs are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobCounts {
    /// All of them.
    pub total: u64,
    /// Leased at least once.
    pub started: u64,
    /// Succeeded.
    pub succeeded: u64,
    /// Failed or timed out.
    pub failed: u64,
    /// Canceled.
    pub canceled: u64,
    /// Skipped because of a parent.
    pub skipped: u64,
}

impl JobCounts {
    /// Jobs that have ended.
    pub const fn ended(&self) -> u64 {
        self.succeeded + self.failed + self.canceled + self.skipped
    }
}

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// No job of it has started.
    Queued,
    /// Some job has.
    Running,
    /// All jobs ended, every one in success (or skipped because its parent's end asked for it).
    Succeeded,
    /// All jobs ended, some in success.
    Partial,
    /// All jobs ended, none in success.
    Failed,
    /// All jobs ended, none failed, some were canceled.
    Canceled,
}

impl RunState {
    /// Reads the state off the counts. A run without jobs has succeeded: there was nothing to do.
    pub const fn of(counts: &JobCounts) -> Self {
        if counts.ended() < counts.total {
            return if counts.started == 0 && counts.ended() == 0 {
                Self::Queued
            } else {
                Self::Running
            };
        }
        match (counts.succeeded, counts.failed, counts.canceled) {
            (_, 0, 0) => Self::Succeeded,
            (_, 0, _) => Self::Canceled,
            (0, _, _) => Self::Failed,
            (_, _, _) => Self::Partial,
        }
    }

    /// The wire and column spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// Whether the run has ended.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Queued | Self::Running => false,
            Self::Succeeded | Self::Partial | Self::Failed | Self::Canceled => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(total: u64, started: u64, ends: [u64; 4], expected: RunState) {
        let [succeeded, failed, canceled, skipped] = ends;
        let counts = JobCounts {
            total,
            started,
            succeeded,
            failed,
            canceled,
            skipped,
        };
        assert_eq!(RunState::of(&counts), expected);
    }

    #[test]
    fn counts_decide() {
        check(0, 0, [0, 0, 0, 0], RunState::Succeeded);
        check(3, 0, [0, 0, 0, 0], RunState::Queued);
        check(3, 1, [0, 0, 0, 0], RunState::Running);
        check(3, 3, [2, 0, 0, 0], RunState::Running);
        check(3, 3, [3, 0, 0, 0], RunState::Succeeded);
        check(3, 2, [2, 0, 0, 1], RunState::Succeeded);
        check(3, 3, [2, 1, 0, 0], RunState::Partial);
        check(3, 1, [0, 1, 0, 2], RunState::Failed);
        check(3, 1, [1, 0, 2, 0], RunState::Canceled);
    }
}
