//! Reports of several workers, taken in one transaction.

use std::fmt::Write as _;
use std::sync::Arc;

use jobengine_domain::caller::Caller;
use jobengine_domain::defaults::COMPLETE_MAX;
use jobengine_domain::digest::Digest;
use jobengine_domain::id::{SessionId, TenantId};
use jobengine_queue::{Hint, Queue};
use jobengine_store::{Act, Effect, JobReport, LockWait, Reported, Store, StoreError, Tx};

use super::{Batch, joined, together_or_apart};
use crate::coalesce::Flush;
use crate::problem::Problem;

/// Reports that one worker sends.
#[derive(Debug, Clone)]
pub(crate) struct Complete {
    /// Who reports; nobody when the service gives back what it could not deliver.
    pub act: Option<Act>,
    /// In which session.
    pub session: SessionId,
    /// What it reports.
    pub reports: Vec<JobReport>,
}

/// Takes the reports of several requests and wakes those who wait for what they made ready.
pub(crate) struct CompleteFlush {
    store: Store,
    queue: Arc<dyn Queue>,
}

impl CompleteFlush {
    pub(crate) fn new(store: Store, queue: Arc<dyn Queue>) -> Self {
        Self { store, queue }
    }
}

impl Batch for CompleteFlush {
    type Request = Complete;
    type Answer = Vec<Reported>;

    async fn work(
        &self,
        tenant: TenantId,
        requests: &[Complete],
        locks: LockWait,
    ) -> Result<Vec<Vec<Reported>>, StoreError> {
        let reports = joined(requests, |request| &request.reports);
        let caller = Caller::system(tenant);
        let (answers, ready) = self
            .store
            .retrying(async || {
                let tx = self.store.begin_waiting(&caller, locks).await?;
                let answers = tx.jobs_complete(&reports).await?;
                record(&tx, requests, &answers).await?;
                let ready = tx.ready();
                tx.commit().await?;
                Ok((answers, ready))
            })
            .await?;
        self.queue.announce(&Hint::jobs(tenant, ready));
        let mut answers = answers.into_iter();
        Ok(requests
            .iter()
            .map(|request| answers.by_ref().take(request.reports.len()).collect())
            .collect())
    }
}

impl Flush for CompleteFlush {
    type Request = Complete;
    type Answer = Vec<Reported>;

    const KIND: &'static str = "complete";
    const ITEMS_MAX: usize = COMPLETE_MAX;
    const WAITING_MAX: usize = 20 * COMPLETE_MAX;
    // One writes while the other waits for the disk.
    const PLACES: usize = 2;

    fn items(request: &Complete) -> usize {
        request.reports.len()
    }

    fn bytes(request: &Complete) -> usize {
        let texts = |report: &JobReport| {
            [&report.result, &report.detail]
                .into_iter()
                .flatten()
                .map(String::len)
                .sum::<usize>()
        };
        let reports = request.reports.iter();
        reports.map(|report| texts(report) + 128).sum()
    }

    async fn flush(
        &self,
        tenant: TenantId,
        requests: Vec<Complete>,
    ) -> Vec<Result<Vec<Reported>, Problem>> {
        together_or_apart(self, tenant, &requests).await
    }
}

/// Writes an audit row for each request of which something was accepted.
async fn record(tx: &Tx, requests: &[Complete], answers: &[Reported]) -> Result<(), StoreError> {
    let mut rest = answers;
    let mut accepted = Vec::new();
    for request in requests {
        let (own, others) = rest.split_at(request.reports.len());
        rest = others;
        let mut said = String::new();
        for (report, answer) in request.reports.iter().zip(own) {
            if let Reported::Accepted { state } = answer {
                let _ = writeln!(said, "{} {state}", report.job);
            }
        }
        if let Some(act) = request.act.as_ref().filter(|_| !said.is_empty()) {
            accepted.push((
                act,
                request.session.to_string(),
                Digest::of(said.as_bytes()),
            ));
        }
    }
    let effects: Vec<Effect<'_>> = accepted
        .iter()
        .map(|(act, session, after)| Effect::granted(act, "session", session, *after))
        .collect();
    tx.acts_record(&effects).await
}
