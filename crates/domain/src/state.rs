//! The states of a job and the one function that moves it between them.
//!
//! Every write of a job's state in the store goes through [`JobState::apply`]; `docs/states.md` is
//! drawn from it.

use std::fmt;

use crate::class::FailureClass;
use crate::id::JobId;
use crate::lease::Fence;
use crate::retry::{self, AttemptLimits, Verdict};
use crate::time::Timestamp;

/// What is fixed about a job when it is submitted and bears on its states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobRules {
    /// Whose rules these are: the jitter is read from the id.
    pub job: JobId,
    /// How often it may be tried.
    pub limits: AttemptLimits,
    /// Success after this moment does not count any more.
    pub deadline: Option<Timestamp>,
}

/// The state of a job, with exactly the data that is true in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Waits for its parents.
    Blocked,
    /// May start at `ready_at`.
    Queued {
        /// Not before this moment.
        ready_at: Timestamp,
        /// Attempts made so far.
        attempts: u32,
        /// Attempts that ended with the worker's disappearance.
        crashes: u32,
    },
    /// One worker runs attempt number `attempt` under `fence`.
    Leased {
        /// Counted from 1, at the grant.
        attempt: u32,
        /// Whose report counts.
        fence: Fence,
        /// Attempts that ended with the worker's disappearance.
        crashes: u32,
    },
    /// Done.
    Succeeded,
    /// Out of attempts, or not to be tried again. Opens a dead letter.
    Failed {
        /// What the last attempt died of.
        class: FailureClass,
    },
    /// Called off.
    Canceled,
    /// Its deadline passed first.
    TimedOut,
    /// A parent's end forbids it.
    Skipped,
}

/// What can happen to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The last parent it waited for ended as the edges require.
    ParentsMet {
        /// It was asked not to start before this moment.
        not_before: Option<Timestamp>,
    },
    /// A parent ended as no edge allows.
    ParentsRefused,
    /// A worker got it, under a new fence.
    Granted {
        /// The new fence.
        fence: Fence,
    },
    /// The worker under `fence` says how the attempt ended.
    Reported {
        /// The fence the worker holds.
        fence: Fence,
        /// What it says.
        report: Report,
    },
    /// No heartbeat came in time for the grant under `fence`.
    LeaseExpired {
        /// The fence of the grant that expired.
        fence: Fence,
        /// Whether its worker had begun it, as far as is known: it had not when another job of the worker had begun
        /// and this one had not.
        begun: bool,
    },
    /// Somebody wants its next attempt now and not after its backoff.
    RetryRequested,
    /// Somebody called it off.
    CancelRequested,
    /// Its deadline passed.
    DeadlinePassed,
}

/// What a worker says at the end of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// The work is done.
    Succeeded,
    /// It is not.
    Failed {
        /// Why.
        class: FailureClass,
        /// The upstream asked not to be called again for so long.
        retry_after_ms: Option<u64>,
    },
    /// The worker stopped because it was told to.
    Canceled,
    /// The worker stops cleanly and gives the job back: the attempt is not counted.
    Released,
}

/// Why an event does not move a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    /// The fence is not the current one: somebody else holds the job, or nobody does.
    #[error("the lease was lost")]
    LeaseLost,
    /// The job may not start yet.
    #[error("the job is not ready before {ready_at}")]
    NotReady {
        /// When it may.
        ready_at: Timestamp,
    },
    /// No rule takes this event in this state.
    #[error("a job that is {state} cannot take this event")]
    Illegal {
        /// The state's name.
        state: &'static str,
    },
}

impl JobState {
    /// The job's next state, decided at `now`, the transaction's clock.
    ///
    /// # Errors
    /// [`TransitionError`]; the job then stays as it is.
    #[expect(
        clippy::too_many_lines,
        reason = "one table: every state against every event"
    )]
    pub fn apply(
        self,
        rules: &JobRules,
        event: Event,
        now: Timestamp,
    ) -> Result<Self, TransitionError> {
        use Event as E;
        use JobState as S;
        let late = rules.deadline.is_some_and(|deadline| deadline <= now);
        match (self, event) {
            (S::Blocked, E::ParentsMet { not_before }) => Ok(S::Queued {
                ready_at: not_before.map_or(now, |at| at.max(now)),
                attempts: 0,
                crashes: 0,
            }),
            (S::Blocked, E::ParentsRefused) => Ok(S::Skipped),

            (S::Queued { ready_at, .. }, E::Granted { .. }) if ready_at > now => {
                Err(TransitionError::NotReady { ready_at })
            }
            (
                S::Queued {
                    ready_at,
                    attempts,
                    crashes,
                },
                E::RetryRequested,
            ) if ready_at > now && attempts > 0 => Ok(S::Queued {
                ready_at: now,
                attempts,
                crashes,
            }),
            (
                S::Queued {
                    attempts, crashes, ..
                },
                E::Granted { fence },
            ) => Ok(S::Leased {
                attempt: attempts.saturating_add(1),
                fence,
                crashes,
            }),

            (
                S::Leased { fence: held, .. },
                E::Reported { fence, .. } | E::LeaseExpired { fence, .. },
            ) if fence != held => Err(TransitionError::LeaseLost),
            (
                S::Leased { .. },
                E::Reported {
                    report: Report::Succeeded,
                    ..
                },
            ) => Ok(if late { S::TimedOut } else { S::Succeeded }),
            (
                S::Leased { .. },
                E::Reported {
                    report: Report::Canceled,
                    ..
                },
            ) => Ok(S::Canceled),
            (
                S::Leased {
                    attempt, crashes, ..
                },
                E::Reported {
                    report: Report::Released,
                    ..
                }
                // It only waited in the worker that another job, or anything else, took away.
                | E::LeaseExpired { begun: false, .. },
            ) => Ok(S::Queued {
                ready_at: now,
                attempts: attempt.saturating_sub(1),
                crashes,
            }),
            (
                S::Leased {
                    attempt, crashes, ..
                },
                E::Reported {
                    report:
                        Report::Failed {
                            class,
                            retry_after_ms,
                        },
                    ..
                },
            ) => Ok(after_failure(
                rules,
                attempt,
                crashes,
                class,
                retry_after_ms,
                now,
            )),
            (
                S::Leased {
                    attempt, crashes, ..
                },
                E::LeaseExpired { begun: true, .. },
            ) => Ok(after_failure(
                rules,
                attempt,
                crashes.saturating_add(1),
                FailureClass::Crashed,
                None,
                now,
            )),

            (S::Blocked | S::Queued { .. } | S::Leased { .. }, E::CancelRequested) => {
                Ok(S::Canceled)
            }
            (S::Blocked | S::Queued { .. } | S::Leased { .. }, E::DeadlinePassed) if late => {
                Ok(S::TimedOut)
            }

            // Whoever reports on a job that nobody holds has lost his lease, whatever became of it.
            (
                S::Blocked
                | S::Queued { .. }
                | S::Succeeded
                | S::Failed { .. }
                | S::Canceled
                | S::TimedOut
                | S::Skipped,
                E::Reported { .. } | E::LeaseExpired { .. },
            ) => Err(TransitionError::LeaseLost),
            (
                S::Blocked
                | S::Queued { .. }
                | S::Leased { .. }
                | S::Succeeded
                | S::Failed { .. }
                | S::Canceled
                | S::TimedOut
                | S::Skipped,
                E::ParentsMet { .. }
                | E::ParentsRefused
                | E::Granted { .. }
                | E::RetryRequested
                | E::CancelRequested
                | E::DeadlinePassed,
            ) => Err(TransitionError::Illegal {
                state: self.as_str(),
            }),
        }
    }

    /// The wire and column spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Queued { .. } => "queued",
            Self::Leased { .. } => "leased",
            Self::Succeeded => "succeeded",
            Self::Failed { .. } => "failed",
            Self::Canceled => "canceled",
            Self::TimedOut => "timed_out",
            Self::Skipped => "skipped",
        }
    }

    /// Whether the job has ended; it then never changes again.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Blocked | Self::Queued { .. } | Self::Leased { .. } => false,
            Self::Succeeded
            | Self::Failed { .. }
            | Self::Canceled
            | Self::TimedOut
            | Self::Skipped => true,
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn after_failure(
    rules: &JobRules,
    attempt: u32,
    crashes: u32,
    class: FailureClass,
    retry_after_ms: Option<u64>,
    now: Timestamp,
) -> JobState {
    match retry::after_failure(
        rules.job,
        rules.limits,
        attempt,
        crashes,
        class,
        retry_after_ms,
    ) {
        Verdict::Again { delay_ms } => JobState::Queued {
            ready_at: now.plus_ms(delay_ms),
            attempts: attempt,
            crashes,
        },
        Verdict::GiveUp { class } => JobState::Failed { class },
    }
}

#[cfg(test)]
mod tests;
