//! The claim loop: as many jobs as there are free slots, never more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::SessionId;
use super::attempt::Attempts;
use super::held::Held;
use super::term::Term;
use crate::client::{Client, chain};
use crate::draw;
use crate::error::Error;
use crate::retry::RetryPolicy;
use crate::wire::lease::{Claim, Claimed};

/// Jobs per claim.
const CLAIM_MAX: usize = 100;

/// The contract's bound on a long poll.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// When a worker drains, a claim under way gets this long, because jobs may be in its answer; after
/// that it waits for jobs that do not come.
const LINGER: Duration = Duration::from_millis(250);

/// A pause after an empty answer that came sooner than asked for, so that a server that cannot wait
/// is not flooded.
const EMPTY_PAUSE: Duration = Duration::from_millis(200);

/// So many refusals in a row end the worker.
const REFUSALS_MAX: u32 = 8;

pub(super) struct Claims {
    pub(super) client: Client,
    pub(super) session: SessionId,
    pub(super) worker: String,
    pub(super) types: Vec<String>,
    pub(super) slots: Arc<Semaphore>,
    /// How many there are, free or not.
    pub(super) concurrency: u32,
    pub(super) attempts: Attempts,
    pub(super) drain: CancellationToken,
}

impl Claims {
    /// Claims until the worker drains.
    ///
    /// # Errors
    /// What the server goes on refusing claims with.
    pub(super) async fn run(self) -> Result<(), Error> {
        let patience = RetryPolicy::default();
        let mut wait = Duration::ZERO;
        let (mut failures, mut refusals) = (0, 0);
        while let Some(slots) = self.free_slots().await {
            let sent = Instant::now();
            let Some(answer) = self.claim(slots.len(), wait).await else {
                break;
            };
            match answer {
                Ok(claimed) => {
                    (failures, refusals) = (0, 0);
                    let term = Term::new(claimed.lease_duration_ms, claimed.heartbeat_ms);
                    let nothing = claimed.grants.is_empty();
                    self.take(claimed, term, sent, slots).await;
                    if nothing && sent.elapsed() < wait / 2 {
                        self.pause(draw::up_to(EMPTY_PAUSE)).await;
                    }
                    // A lease counts from the sending of its claim: after half an interval most of
                    // it is left.
                    wait = (term.interval / 2).min(WAIT_MAX);
                }
                Err(error) => {
                    failures += 1;
                    refusals = if error.passing(true) { 0 } else { refusals + 1 };
                    if refusals >= REFUSALS_MAX {
                        return Err(error);
                    }
                    let pause = patience.jitter(failures);
                    let pause = pause.max(error.retry_after().unwrap_or_default());
                    tracing::warn!(failures, "no claim: {}", chain(&error));
                    drop(slots);
                    self.pause(pause).await;
                }
            }
        }
        Ok(())
    }

    /// Waits for a free slot and takes all there are, at most a claim's worth; `None` when the
    /// worker drains.
    async fn free_slots(&self) -> Option<Vec<OwnedSemaphorePermit>> {
        let first = Arc::clone(&self.slots).acquire_owned();
        let first = self.drain.run_until_cancelled(first).await?;
        let mut slots = vec![first.expect("the semaphore is never closed")];
        while slots.len() < CLAIM_MAX
            && let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned()
        {
            slots.push(slot);
        }
        Some(slots)
    }

    /// One claim; `None` when the worker drains and no answer came soon after.
    async fn claim(&self, max: usize, wait: Duration) -> Option<Result<Claimed, Error>> {
        let claim = Claim {
            session_id: self.session,
            worker: self.worker.clone(),
            types: self.types.clone(),
            max: u32::try_from(max).expect("at most a claim's worth"),
            wait_ms: u64::try_from(wait.as_millis()).expect("at most 30 seconds"),
            slots: Some(self.concurrency),
        };
        let given_up = async {
            self.drain.cancelled().await;
            tokio::time::sleep(LINGER).await;
        };
        tokio::select! {
            biased;
            answer = self.client.claim(&claim) => Some(answer),
            () = given_up => None,
        }
    }

    /// Starts what was granted, or gives it back when the worker drains.
    async fn take(
        &self,
        claimed: Claimed,
        term: Term,
        sent: Instant,
        mut slots: Vec<OwnedSemaphorePermit>,
    ) {
        let held: Vec<Arc<Held>> = claimed
            .grants
            .iter()
            .map(|grant| Arc::new(Held::new(grant, sent)))
            .collect();
        self.attempts.held.add(&held, term);
        for (grant, held) in claimed.grants.into_iter().zip(held) {
            match slots.pop().filter(|_| !self.drain.is_cancelled()) {
                Some(slot) => self.attempts.start(grant, held, slot),
                None => self.attempts.release(held).await,
            }
        }
    }

    async fn pause(&self, pause: Duration) {
        let sleep = tokio::time::sleep(pause);
        let _ = self.drain.run_until_cancelled(sleep).await;
    }
}
