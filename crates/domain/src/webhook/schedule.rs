//! When a delivery is tried again, and when a webhook is given a rest.

use crate::id::DeliveryId;
use crate::time::Timestamp;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// The wait after each failed attempt but the last: a little more than three days in all. Source:
/// Standard Webhooks, "Deliverability and reliability", the recommended schedule.
pub const SCHEDULE_MS: [u64; 9] = [
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
];
/// Attempts of a delivery, the first one included.
pub const ATTEMPTS: u32 = 10;
/// A receiver that asks for more time gets at most so much.
pub const RETRY_AFTER_MAX_MS: u64 = 24 * HOUR;
/// A webhook that has failed for so long, without one success between, is paused.
pub const PAUSE_AFTER_MS: u64 = 72 * HOUR;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The receiver answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// What it asked for with Retry-After, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// No answer: not resolved, refused by the policy, not connected, or not in time.
    Unanswered,
}

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver has it.
    Delivered,
    /// Try again after so many milliseconds.
    Again {
        /// The wait, jitter included.
        delay_ms: u64,
    },
    /// Out of attempts: it stays visible, and a person may send it again.
    Failed,
    /// The receiver says that it is gone for good (410): no webhook there any more.
    Gone,
}

impl Ended {
    /// Whether the destination is alive: a refusal is an answer, an outage is not.
    pub const fn is_alive(self) -> bool {
        match self {
            Self::Answered { status, .. } => status < 500 && status != 429,
            Self::Unanswered => false,
        }
    }
}

/// Decides after attempt number `attempt` (from 1) of `attempts` ended. A redirect is a failure: it
/// would lead where nobody has looked.
pub fn after_attempt(delivery: DeliveryId, attempt: u32, attempts: u32, ended: Ended) -> Verdict {
    let hint_ms = match ended {
        Ended::Answered { status: 410, .. } => return Verdict::Gone,
        Ended::Answered {
            status: 200..=299, ..
        } => return Verdict::Delivered,
        Ended::Answered { retry_after_ms, .. } => retry_after_ms,
        Ended::Unanswered => None,
    };
    if attempt >= attempts {
        return Verdict::Failed;
    }
    let hint_ms = hint_ms.unwrap_or(0).min(RETRY_AFTER_MAX_MS);
    Verdict::Again {
        delay_ms: wait_ms(delivery, attempt).max(hint_ms),
    }
}

/// Whether a webhook that has been failing since a moment is to be paused.
pub fn keeps_failing(since: Timestamp, now: Timestamp) -> bool {
    now.ms_since(since) >= PAUSE_AFTER_MS
}

/// The wait after attempt number `attempt`, and up to a tenth more, read from the delivery's id: the
/// same on replay, and different between neighbours.
fn wait_ms(delivery: DeliveryId, attempt: u32) -> u64 {
    let step = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    let wait = SCHEDULE_MS[step.min(SCHEDULE_MS.len() - 1)];
    let salt = u64::from(delivery.0.as_bytes()[15].wrapping_add(attempt.to_le_bytes()[0]));
    wait + wait * salt / 2_560
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn check(attempt: u32, ended: Ended, expected: Verdict) {
        let delivery = DeliveryId(Uuid::nil());
        assert_eq!(after_attempt(delivery, attempt, ATTEMPTS, ended), expected);
    }

    fn status(status: u16) -> Ended {
        Ended::Answered {
            status,
            retry_after_ms: None,
        }
    }

    #[test]
    fn the_answer_and_the_schedule_decide() {
        let again = |delay_ms| Verdict::Again { delay_ms };
        check(1, status(200), Verdict::Delivered);
        check(10, status(204), Verdict::Delivered);
        check(1, status(410), Verdict::Gone);
        check(1, status(302), again(5_001));
        check(1, status(404), again(5_001));
        check(2, Ended::Unanswered, again(300_234));
        check(9, status(500), again(24 * HOUR + 24 * HOUR * 9 / 2_560));
        check(10, status(500), Verdict::Failed);
        check(10, Ended::Unanswered, Verdict::Failed);
        for (asked, expected) in [(60_000, 60_000), (u64::MAX, RETRY_AFTER_MAX_MS), (1, 5_001)] {
            let ended = Ended::Answered {
                status: 503,
                retry_after_ms: Some(asked),
            };
            check(1, ended, again(expected));
        }
    }

    #[test]
    fn the_schedule_lasts_three_days_and_ends_in_a_pause() {
        let whole: u64 = SCHEDULE_MS.iter().sum();
        assert!((PAUSE_AFTER_MS..80 * HOUR).contains(&whole));
        assert_eq!(SCHEDULE_MS.len() + 1, ATTEMPTS as usize);
        let since = Timestamp::from_micros(0);
        assert!(keeps_failing(since, since.plus_ms(whole)));
        assert!(!keeps_failing(since, since.plus_ms(PAUSE_AFTER_MS - 1)));
    }

    #[test]
    fn an_outage_is_not_a_refusal() {
        for (status_code, alive) in [
            (200, true),
            (404, true),
            (410, true),
            (429, false),
            (503, false),
        ] {
            assert_eq!(status(status_code).is_alive(), alive, "{status_code}");
        }
        assert!(!Ended::Unanswered.is_alive());
    }

    proptest! {
        /// WEBHOOK-1: a wait lies between the schedule and a tenth more.
        #[test]
        fn waits_are_bounded(id in any::<u128>(), attempt in 1u32..ATTEMPTS) {
            let wait = wait_ms(DeliveryId(Uuid::from_u128(id)), attempt);
            let curve = SCHEDULE_MS[attempt as usize - 1];
            prop_assert!(wait >= curve && wait <= curve + curve / 10);
        }

        /// WEBHOOK-2: whatever the answers, a delivery ends within its attempts.
        #[test]
        fn a_delivery_ends(answers in prop::collection::vec(100u16..600, 20)) {
            let delivery = DeliveryId(Uuid::nil());
            let ends = (1..).zip(answers).take_while(|(attempt, answer)| {
                matches!(after_attempt(delivery, *attempt, ATTEMPTS, status(*answer)), Verdict::Again { .. })
            });
            prop_assert!(ends.count() < ATTEMPTS as usize);
        }
    }
}
