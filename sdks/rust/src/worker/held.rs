//! The jobs a worker holds: shared between the handlers, the heartbeat thread and the reporter.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::term::Term;
use crate::wire::lease::{Directive, Grant, HeartbeatAnswer, HeldLease, LeaseToken, Progress};

/// Why a handler is asked to stop although its lease is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The job was called off.
    Cancel,
    /// The worker shuts down and gives the job back.
    Release,
}

/// One attempt's lease.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) job: Uuid,
    pub(super) token: LeaseToken,
    lease: Uuid,
    /// Held at least until then.
    until: Mutex<Instant>,
    lost: CancellationToken,
    /// Fires when the handler has to stop, for whatever reason.
    pub(super) cancel: CancellationToken,
    stop: OnceLock<Stop>,
    progress: Mutex<Option<Progress>>,
}

impl Held {
    /// The lease of a grant that came in answer to a claim sent at `sent`.
    pub(super) fn new(grant: &Grant, sent: Instant) -> Self {
        let term = Term::new(grant.lease_duration_ms, grant.heartbeat_ms);
        Self {
            job: grant.job_id,
            token: grant.lease_token.clone(),
            lease: grant.lease_id,
            until: Mutex::new(term.until(sent)),
            lost: CancellationToken::new(),
            cancel: CancellationToken::new(),
            stop: OnceLock::new(),
            progress: Mutex::new(None),
        }
    }

    /// Whether the lease is lost, or must be taken to be. Once lost it stays so.
    pub(super) fn is_lost(&self) -> bool {
        if !self.lost.is_cancelled() && Instant::now() >= *lock(&self.until) {
            tracing::warn!(job.id = %self.job, "the lease on job {} could not be confirmed in time; it is given up", self.job);
            self.lose();
        }
        self.lost.is_cancelled()
    }

    /// Waits until the lease is lost.
    pub(super) async fn lost(&self) {
        self.lost.cancelled().await;
    }

    fn lose(&self) {
        self.lost.cancel();
        self.cancel.cancel();
    }

    /// Asks the handler to stop. The first reason counts.
    pub(super) fn stop(&self, why: Stop) {
        let _ = self.stop.set(why);
        self.cancel.cancel();
    }

    pub(super) fn stopped(&self) -> Option<Stop> {
        self.stop.get().copied()
    }

    pub(super) fn progress(&self, progress: Progress) {
        *lock(&self.progress) = Some(progress);
    }

    fn extend(&self, until: Instant) {
        if !self.is_lost() {
            let mut held = lock(&self.until);
            *held = until.max(*held);
        }
    }
}

/// All leases of a worker. Bounded by its concurrency and the reports under way.
#[derive(Debug, Default)]
pub(super) struct HeldJobs {
    by_lease: Mutex<BTreeMap<Uuid, Arc<Held>>>,
    interval_us: AtomicU64,
    /// Rings when leases were added or have changed.
    changed: Notify,
}

impl HeldJobs {
    /// Adds leases, and takes note of how often heartbeats are due.
    pub(super) fn add(&self, held: &[Arc<Held>], term: Term) {
        self.set_interval(term.interval);
        if held.is_empty() {
            return;
        }
        let mut by_lease = lock(&self.by_lease);
        for new in held {
            // A new grant of a job ends every earlier one.
            for old in by_lease.values().filter(|old| old.job == new.job) {
                old.lose();
            }
            by_lease.insert(new.lease, Arc::clone(new));
        }
        drop(by_lease);
        self.changed.notify_waiters();
    }

    /// Forgets a lease: its report was answered, or there will be none.
    pub(super) fn remove(&self, held: &Held) {
        lock(&self.by_lease).remove(&held.lease);
    }

    /// Asks every handler to stop.
    pub(super) fn stop_all(&self, why: Stop) {
        for held in self.all() {
            held.stop(why);
        }
    }

    /// Gives up leases that were not confirmed in time; returns when the next one would be.
    pub(super) fn lapse(&self) -> Option<Instant> {
        let all = self.all();
        let held = all.iter().filter(|held| !held.is_lost());
        held.map(|held| *lock(&held.until)).min()
    }

    /// What a heartbeat names: every lease that is not lost.
    pub(super) fn beating(&self) -> Vec<Arc<Held>> {
        let mut all = self.all();
        all.retain(|held| !held.is_lost());
        all
    }

    /// Carries out the answer to a heartbeat that named these leases and was sent at `sent`. Returns
    /// whether the server wants the worker to drain.
    pub(super) fn answered(
        &self,
        named: &[Arc<Held>],
        sent: Instant,
        answer: &HeartbeatAnswer,
    ) -> bool {
        let term = Term::new(answer.lease_duration_ms, answer.heartbeat_ms);
        self.set_interval(term.interval);
        let directives: BTreeMap<Uuid, Directive> = answer
            .directives
            .iter()
            .map(|told| (told.job_id, told.directive))
            .collect();
        let mut drain = false;
        for held in named {
            let Some(directive) = directives.get(&held.job) else {
                continue;
            };
            match directive {
                Directive::Continue | Directive::Unknown => held.extend(term.until(sent)),
                Directive::Drain => {
                    held.extend(term.until(sent));
                    drain = true;
                }
                Directive::Cancel => {
                    held.extend(term.until(sent));
                    held.stop(Stop::Cancel);
                }
                Directive::LeaseLost => {
                    tracing::warn!(job.id = %held.job, "the lease on job {} is lost", held.job);
                    held.lose();
                }
            }
        }
        self.changed.notify_waiters();
        drain
    }

    /// How often heartbeats are due.
    pub(super) fn interval(&self) -> Duration {
        Duration::from_micros(self.interval_us.load(Ordering::Relaxed))
    }

    /// Resolves when leases are added or change after this call.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    fn set_interval(&self, interval: Duration) {
        let micros = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX);
        self.interval_us.store(micros, Ordering::Relaxed);
    }

    fn all(&self) -> Vec<Arc<Held>> {
        lock(&self.by_lease).values().cloned().collect()
    }
}

/// Takes the news of how far the jobs are out of their leases.
pub(super) fn take_progress(named: &[Arc<Held>]) -> Vec<Progress> {
    named
        .iter()
        .filter_map(|held| lock(&held.progress).take())
        .collect()
}

/// Puts news back that could not be sent, unless there is newer.
pub(super) fn put_back(named: &[Arc<Held>], progress: Vec<Progress>) {
    for news in progress {
        if let Some(held) = named.iter().find(|held| held.job == news.job_id) {
            lock(&held.progress).get_or_insert(news);
        }
    }
}

/// The leases as a heartbeat writes them.
pub(super) fn named(held: &[Arc<Held>]) -> Vec<HeldLease> {
    let lease = |held: &Arc<Held>| HeldLease {
        job_id: held.job,
        lease_token: held.token.clone(),
    };
    held.iter().map(lease).collect()
}

/// A panic elsewhere leaves nothing half-written here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
