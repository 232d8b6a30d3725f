//! Every move, and what no history can bring about.

use super::*;
use proptest::prelude::*;
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
const RULES: JobRules = JobRules {
    job: JobId(Uuid::nil()),
    limits: AttemptLimits {
        attempts: 3,
        crashes: 2,
    },
    deadline: None,
};
const LEASED: JobState = JobState::Leased {
    attempt: 1,
    fence: Fence(7),
    crashes: 0,
};

fn check(state: JobState, event: Event, expected: Result<JobState, TransitionError>) {
    assert_eq!(state.apply(&RULES, event, NOW), expected);
}

fn reported(fence: i64, report: Report) -> Event {
    Event::Reported {
        fence: Fence(fence),
        report,
    }
}

#[test]
fn a_stale_fence_changes_nothing() {
    check(
        LEASED,
        reported(6, Report::Succeeded),
        Err(TransitionError::LeaseLost),
    );
    check(
        LEASED,
        Event::LeaseExpired {
            fence: Fence(6),
            begun: true,
        },
        Err(TransitionError::LeaseLost),
    );
    check(
        JobState::Succeeded,
        reported(7, Report::Succeeded),
        Err(TransitionError::LeaseLost),
    );
}

#[test]
fn only_a_backoff_is_cut_short() {
    let queued = |ready_at, attempts| JobState::Queued {
        ready_at,
        attempts,
        crashes: 0,
    };
    let later = NOW.plus_ms(5);
    check(queued(later, 1), Event::RetryRequested, Ok(queued(NOW, 1)));
    let refused = |state: JobState| {
        let illegal = TransitionError::Illegal {
            state: state.as_str(),
        };
        check(state, Event::RetryRequested, Err(illegal));
    };
    // Asked not to start before, or ready already.
    for state in [
        queued(later, 0),
        queued(NOW, 1),
        LEASED,
        JobState::Succeeded,
    ] {
        refused(state);
    }
}

#[test]
fn a_released_attempt_is_not_counted() {
    let back = JobState::Queued {
        ready_at: NOW,
        attempts: 0,
        crashes: 0,
    };
    check(LEASED, reported(7, Report::Released), Ok(back));
}

#[test]
fn success_after_the_deadline_is_too_late() {
    let rules = JobRules {
        deadline: Some(NOW),
        ..RULES
    };
    assert_eq!(
        LEASED.apply(&rules, reported(7, Report::Succeeded), NOW),
        Ok(JobState::TimedOut)
    );
    check(
        LEASED,
        Event::DeadlinePassed,
        Err(TransitionError::Illegal { state: "leased" }),
    );
}

#[test]
fn a_job_that_kills_its_workers_is_poison() {
    let second = JobState::Leased {
        attempt: 2,
        fence: Fence(9),
        crashes: 1,
    };
    let end = JobState::Failed {
        class: FailureClass::Poison,
    };
    let expired = Event::LeaseExpired {
        fence: Fence(9),
        begun: true,
    };
    check(second, expired, Ok(end));
}

fn any_event() -> impl Strategy<Value = Event> {
    let class = prop::sample::select(FailureClass::ALL.to_vec());
    let report = prop_oneof![
        Just(Report::Succeeded),
        (class, prop::option::of(0u64..100_000)).prop_map(|(class, retry_after_ms)| {
            Report::Failed {
                class,
                retry_after_ms,
            }
        }),
        Just(Report::Canceled),
        Just(Report::Released),
    ];
    let fence = (0i64..6).prop_map(Fence);
    prop_oneof![
        Just(Event::ParentsMet { not_before: None }),
        Just(Event::ParentsRefused),
        fence.clone().prop_map(|fence| Event::Granted { fence }),
        (fence.clone(), report).prop_map(|(fence, report)| Event::Reported { fence, report }),
        (fence, any::<bool>()).prop_map(|(fence, begun)| Event::LeaseExpired { fence, begun }),
        Just(Event::RetryRequested),
        Just(Event::CancelRequested),
        Just(Event::DeadlinePassed),
    ]
}

proptest! {
    /// STATE-1: a terminal state never changes. STATE-2: attempts never exceed the limit.
    /// STATE-3: a lease ends only by its own fence, by cancel or by deadline.
    #[test]
    fn invariants_hold_over_any_history(events in prop::collection::vec(any_event(), 0..60)) {
        let mut state = JobState::Blocked;
        let mut now = NOW;
        for event in events {
            now = now.plus_ms(20 * 60 * 1_000);
            let Ok(next) = state.apply(&RULES, event, now) else { continue };
            prop_assert!(!state.is_terminal());
            if let JobState::Leased { attempt, .. } = next {
                prop_assert!(attempt <= RULES.limits.attempts);
            }
            if let JobState::Leased { fence: held, .. } = state {
                match event {
                    Event::Reported { fence, .. } | Event::LeaseExpired { fence, .. } => prop_assert_eq!(fence, held),
                    Event::CancelRequested | Event::DeadlinePassed => {}
                    Event::ParentsMet { .. }
                    | Event::ParentsRefused
                    | Event::Granted { .. }
                    | Event::RetryRequested => prop_assert!(false),
                }
            }
            state = next;
        }
    }
}
