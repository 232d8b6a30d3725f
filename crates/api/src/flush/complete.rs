//! Reports of several workers, taken in one transaction.

use std::sync::Arc;

use jobengine_domain::caller::Caller;
use jobengine_domain::defaults::COMPLETE_MAX;
use jobengine_domain::id::TenantId;
use jobengine_queue::{Hint, Queue};
use jobengine_store::{JobReport, Reported, Store, StoreError};

use super::{Batch, joined, together_or_apart};
use crate::coalesce::Flush;
use crate::problem::Problem;

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
    type Request = Vec<JobReport>;
    type Answer = Vec<Reported>;

    async fn work(
        &self,
        tenant: TenantId,
        requests: &[Vec<JobReport>],
    ) -> Result<Vec<Vec<Reported>>, StoreError> {
        let reports = joined(requests);
        let caller = Caller::system(tenant);
        let (answers, ready) = self
            .store
            .retrying(async || {
                let tx = self.store.begin(&caller).await?;
                let answers = tx.jobs_complete(&reports).await?;
                let ready = tx.ready();
                tx.commit().await?;
                Ok((answers, ready))
            })
            .await?;
        self.queue.announce(&Hint::jobs(tenant, ready));
        let mut answers = answers.into_iter();
        Ok(requests
            .iter()
            .map(|request| answers.by_ref().take(request.len()).collect())
            .collect())
    }
}

impl Flush for CompleteFlush {
    type Request = Vec<JobReport>;
    type Answer = Vec<Reported>;

    const KIND: &'static str = "complete";
    const ITEMS_MAX: usize = COMPLETE_MAX;
    const WAITING_MAX: usize = 20 * COMPLETE_MAX;
    // One writes while the other waits for the disk.
    const PLACES: usize = 2;

    fn items(request: &Vec<JobReport>) -> usize {
        request.len()
    }

    fn bytes(request: &Vec<JobReport>) -> usize {
        let texts = |report: &JobReport| {
            [&report.result, &report.detail]
                .into_iter()
                .flatten()
                .map(String::len)
                .sum::<usize>()
        };
        request.iter().map(|report| texts(report) + 128).sum()
    }

    async fn flush(
        &self,
        tenant: TenantId,
        requests: Vec<Vec<JobReport>>,
    ) -> Vec<Result<Vec<Reported>, Problem>> {
        together_or_apart(self, tenant, &requests).await
    }
}
