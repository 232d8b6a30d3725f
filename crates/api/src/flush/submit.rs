//! Jobs of several requests, written in one transaction.

use std::sync::Arc;

use jobengine_domain::caller::Caller;
use jobengine_domain::defaults::SUBMIT_MAX;
use jobengine_domain::id::{JobId, TenantId};
use jobengine_queue::{Hint, Queue};
use jobengine_store::{NewJob, Store, StoreError};

use super::{Batch, joined, together_or_apart};
use crate::coalesce::Flush;
use crate::problem::Problem;

/// Writes the jobs of several requests and wakes those who wait for them.
pub(crate) struct SubmitFlush {
    store: Store,
    queue: Arc<dyn Queue>,
}

impl SubmitFlush {
    pub(crate) fn new(store: Store, queue: Arc<dyn Queue>) -> Self {
        Self { store, queue }
    }
}

impl Batch for SubmitFlush {
    type Request = Vec<NewJob>;
    type Answer = Vec<JobId>;

    async fn work(
        &self,
        tenant: TenantId,
        requests: &[Vec<NewJob>],
    ) -> Result<Vec<Vec<JobId>>, StoreError> {
        let jobs = joined(requests);
        let caller = Caller::system(tenant);
        let (ids, ready) = self
            .store
            .retrying(async || {
                let tx = self.store.begin(&caller).await?;
                let ids = tx.jobs_submit(None, &jobs).await?;
                let ready = tx.ready();
                tx.commit().await?;
                Ok((ids, ready))
            })
            .await?;
        self.queue.announce(&Hint::jobs(tenant, ready));
        let mut ids = ids.into_iter();
        Ok(requests
            .iter()
            .map(|request| ids.by_ref().take(request.len()).collect())
            .collect())
    }
}

impl Flush for SubmitFlush {
    type Request = Vec<NewJob>;
    type Answer = Vec<JobId>;

    const KIND: &'static str = "submit";
    const ITEMS_MAX: usize = SUBMIT_MAX;
    const WAITING_MAX: usize = 4 * SUBMIT_MAX;
    // Two submits of one tenant would only wait for its clock.
    const PLACES: usize = 1;

    fn items(request: &Vec<NewJob>) -> usize {
        request.len()
    }

    fn bytes(request: &Vec<NewJob>) -> usize {
        request.iter().map(|job| job.payload.len() + 256).sum()
    }

    async fn flush(
        &self,
        tenant: TenantId,
        requests: Vec<Vec<NewJob>>,
    ) -> Vec<Result<Vec<JobId>, Problem>> {
        together_or_apart(self, tenant, &requests).await
    }
}
