//! When a failed attempt is tried again.

use crate::class::FailureClass;
use crate::defaults::{BACKOFF_BASE_MS, BACKOFF_CAP_MS};
use crate::id::JobId;

/// How many attempts a job has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptLimits {
    /// Attempts in all, counted at the grant.
    pub attempts: u32,
    /// Attempts that ended with the worker's disappearance.
    pub crashes: u32,
}

/// What becomes of a job whose attempt did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Try again after so many milliseconds.
    Again {
        /// The delay, jitter included.
        delay_ms: u64,
    },
    /// Give up: the job fails and opens a dead letter.
    GiveUp {
        /// The class the dead letter carries.
        class: FailureClass,
    },
}

/// Decides after attempt number `attempt` (from 1) ended in `class`; `crashes` counts the vanished
/// workers including this one. `hint_ms` is what the upstream asked for (Retry-After): the delay
/// is never shorter than it, and it may exceed the cap, because coming back early is refused again.
pub fn after_failure(
    job: JobId,
    limits: AttemptLimits,
    attempt: u32,
    crashes: u32,
    class: FailureClass,
    hint_ms: Option<u64>,
) -> Verdict {
    if crashes >= limits.crashes {
        return Verdict::GiveUp {
            class: FailureClass::Poison,
        };
    }
    if attempt >= limits.attempts || !class.retryable() {
        return Verdict::GiveUp { class };
    }
    Verdict::Again {
        delay_ms: backoff_ms(job, attempt).max(hint_ms.unwrap_or(0)),
    }
}

/// Whether a job is granted alone, to a worker that holds nothing else: when it has been among the jobs of a lost worker
/// before, and one more lost worker would end it. So no job is given up for what another one did.
pub const fn goes_alone(limits: AttemptLimits, attempts: u32, crashes: u32) -> bool {
    crashes > 0
        && (crashes.saturating_add(1) >= limits.crashes
            || attempts.saturating_add(1) >= limits.attempts)
}

/// The delay after attempt number `attempt`: base × 2ⁿ⁻¹ up to the cap, and up to a quarter more,
/// read from the job's id so that it is the same on replay and differs between neighbours.
pub fn backoff_ms(job: JobId, attempt: u32) -> u64 {
    let doublings = attempt.saturating_sub(1).min(32);
    let delay = BACKOFF_BASE_MS
        .saturating_mul(1 << doublings)
        .min(BACKOFF_CAP_MS);
    let salt = u64::from(job.0.as_bytes()[15].wrapping_add(attempt.to_le_bytes()[0]));
    delay + delay * salt / 1_024
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const LIMITS: AttemptLimits = AttemptLimits {
        attempts: 5,
        crashes: 3,
    };

    fn check(attempt: u32, crashes: u32, class: FailureClass, expected: Verdict) {
        assert_eq!(
            after_failure(JobId(Uuid::nil()), LIMITS, attempt, crashes, class, None),
            expected
        );
    }

    #[test]
    fn class_and_limits_decide() {
        use FailureClass::{Auth, Crashed, Network, Poison};
        check(1, 0, Network, Verdict::Again { delay_ms: 2_001 });
        check(2, 0, Network, Verdict::Again { delay_ms: 4_007 });
        check(5, 0, Network, Verdict::GiveUp { class: Network });
        check(1, 0, Auth, Verdict::GiveUp { class: Auth });
        check(2, 2, Crashed, Verdict::Again { delay_ms: 4_007 });
        check(3, 3, Crashed, Verdict::GiveUp { class: Poison });
    }

    #[test]
    fn the_last_chance_after_a_lost_worker_is_alone() {
        let check = |attempts, crashes, alone| {
            assert_eq!(
                goes_alone(LIMITS, attempts, crashes),
                alone,
                "{attempts} {crashes}"
            );
        };
        check(0, 0, false);
        check(4, 0, false);
        check(1, 1, false);
        check(2, 2, true);
        check(4, 1, true);
    }

    #[test]
    fn a_hint_is_never_undercut() {
        let verdict = after_failure(
            JobId(Uuid::nil()),
            LIMITS,
            1,
            0,
            FailureClass::Throttled,
            Some(3_600_000),
        );
        assert_eq!(
            verdict,
            Verdict::Again {
                delay_ms: 3_600_000
            }
        );
    }

    proptest! {
        /// RETRY-1: the delay lies between the curve and the curve plus a quarter.
        #[test]
        fn delay_is_bounded(id in any::<u128>(), attempt in 1u32..200) {
            let delay = backoff_ms(JobId(Uuid::from_u128(id)), attempt);
            let curve = BACKOFF_BASE_MS.saturating_mul(1 << (attempt - 1).min(32)).min(BACKOFF_CAP_MS);
            prop_assert!(delay >= curve && delay <= curve + curve / 4);
        }
    }
}
