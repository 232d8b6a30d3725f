//! Heartbeats of several workers, taken in one transaction.

use std::collections::BTreeSet;

use jobengine_domain::caller::Caller;
use jobengine_domain::id::TenantId;
use jobengine_store::{Beat, Heartbeat, LockWait, Store, StoreError};

use super::{Batch, together_or_apart};
use crate::coalesce::Flush;
use crate::problem::Problem;

/// Takes the heartbeats of several sessions.
pub(crate) struct HeartbeatFlush {
    store: Store,
}

impl HeartbeatFlush {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Batch for HeartbeatFlush {
    type Request = Beat;
    type Answer = Heartbeat;

    async fn work(
        &self,
        tenant: TenantId,
        beats: &[Beat],
        locks: LockWait,
    ) -> Result<Vec<Heartbeat>, StoreError> {
        let caller = Caller::system(tenant);
        let mut answers = Vec::with_capacity(beats.len());
        // A worker that repeats itself in one batch is heard in turn: a statement takes each session once.
        for beats in once_each(beats) {
            let taken = self
                .store
                .retrying(async || {
                    let tx = self.store.begin_waiting(&caller, locks).await?;
                    let answers = tx.sessions_heartbeat(&beats).await?;
                    tx.commit().await?;
                    Ok(answers)
                })
                .await?;
            answers.extend(taken);
        }
        Ok(answers)
    }
}

/// Cuts beats into runs in which no session stands twice.
fn once_each(beats: &[Beat]) -> Vec<Vec<Beat>> {
    let mut runs = vec![Vec::new()];
    let mut seen = BTreeSet::new();
    for beat in beats {
        if !seen.insert(beat.session) {
            seen = BTreeSet::from([beat.session]);
            runs.push(Vec::new());
        }
        runs.last_mut()
            .expect("there is one from the start")
            .push(beat.clone());
    }
    runs
}

impl Flush for HeartbeatFlush {
    type Request = Beat;
    type Answer = Heartbeat;

    const KIND: &'static str = "heartbeat";
    const ITEMS_MAX: usize = 200;
    const WAITING_MAX: usize = 4_000;
    const PLACES: usize = 1;

    fn items(_: &Beat) -> usize {
        1
    }

    fn bytes(beat: &Beat) -> usize {
        128 + beat.held.len() * 32
    }

    async fn flush(&self, tenant: TenantId, beats: Vec<Beat>) -> Vec<Result<Heartbeat, Problem>> {
        together_or_apart(self, tenant, &beats).await
    }
}
