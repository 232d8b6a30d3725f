//! What is counted of the ledger: at the commit, so that nothing is counted that did not happen.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jobengine_domain::metric::{database, ledger};
use jobengine_domain::state::JobState;
use jobengine_domain::time::Timestamp;
use jobengine_telemetry::trace::{Span, Traces};
use jobengine_telemetry::{Counter, Gauge, Presence, Registry, Timing};

use crate::lease::Grant;
use crate::settle::Move;

/// The handles of a store. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Observer(Arc<Handles>);

#[derive(Debug)]
struct Handles {
    wait: Timing<0>,
    attempts: Counter<2>,
    attempt_duration: Timing<1>,
    ended: Counter<1>,
    pool_wait: Timing<1>,
    transactions: Gauge<0>,
    conflicts: Counter<0>,
    traces: Traces,
}

impl Observer {
    pub(crate) fn new(registry: &Registry, traces: Traces) -> Self {
        Self(Arc::new(Handles {
            wait: registry.timing(&ledger::WAIT),
            attempts: registry.counter(&ledger::ATTEMPTS),
            attempt_duration: registry.timing(&ledger::ATTEMPT_DURATION),
            ended: registry.counter(&ledger::ENDED),
            pool_wait: registry.timing(&database::POOL_WAIT),
            transactions: registry.gauge(&database::TRANSACTIONS),
            conflicts: registry.counter(&database::CONFLICTS),
            traces,
        }))
    }

    /// Where spans go.
    pub(crate) fn traces(&self) -> &Traces {
        &self.0.traces
    }

    /// A connection of a pool was waited for.
    pub(crate) fn connected(&self, pool: &'static str, waited: Duration) {
        self.0.pool_wait.observe([pool], waited);
    }

    /// Counts a transaction as open until the guard is dropped.
    pub(crate) fn transaction(&self) -> Presence {
        self.0.transactions.one([])
    }

    /// A transaction is tried again.
    pub(crate) fn conflict(&self) {
        self.0.conflicts.inc([]);
    }

    /// What a transaction did is lasting.
    pub(crate) fn committed(&self, notes: &Notes, at: Timestamp) {
        let notes = std::mem::take(&mut *notes.lock());
        for note in notes {
            match note {
                Note::Granted { waited } => self.0.wait.observe([], waited),
                Note::AttemptEnded {
                    granted_at,
                    cause,
                    class,
                } => {
                    self.0.attempts.inc([cause, class.unwrap_or("none")]);
                    self.0
                        .attempt_duration
                        .observe([cause], at.since(granted_at));
                }
                Note::JobEnded { state } => self.0.ended.inc([state]),
                Note::Traced(span) => self.0.traces.record(*span),
            }
        }
    }
}

/// What a transaction will have done once it is committed.
#[derive(Debug, Default)]
pub(crate) struct Notes(Mutex<Vec<Note>>);

#[derive(Debug)]
enum Note {
    /// A job got its first attempt.
    Granted { waited: Duration },
    /// An attempt is over.
    AttemptEnded {
        granted_at: Timestamp,
        cause: &'static str,
        class: Option<&'static str>,
    },
    /// Something took time.
    Traced(Box<Span>),
    /// A job is over.
    JobEnded { state: &'static str },
}

impl Notes {
    /// Jobs were granted.
    pub(crate) fn granted(&self, grants: &[Grant], now: Timestamp) {
        let first = grants.iter().filter(|grant| grant.attempt == 1);
        self.lock().extend(first.filter_map(|grant| {
            let waited = now.since(grant.job.submitted_at()?);
            Some(Note::Granted { waited })
        }));
    }

    /// A span has ended.
    pub(crate) fn span(&self, span: Span) {
        self.lock().push(Note::Traced(Box::new(span)));
    }

    /// Moves were carried out.
    pub(crate) fn settled(&self, moves: &[Move]) {
        let mut notes = self.lock();
        for step in moves {
            if let Some(held) = &step.held {
                notes.push(Note::AttemptEnded {
                    granted_at: held.granted_at,
                    cause: step.cause,
                    class: step.class,
                });
            }
            match step.to {
                JobState::Succeeded
                | JobState::Failed { .. }
                | JobState::Canceled
                | JobState::TimedOut
                | JobState::Skipped => notes.push(Note::JobEnded {
                    state: step.to.as_str(),
                }),
                JobState::Blocked | JobState::Queued { .. } | JobState::Leased { .. } => {}
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Note>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
