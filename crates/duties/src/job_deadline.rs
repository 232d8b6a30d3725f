//! Ends jobs whose deadline has passed.

use std::sync::Arc;

use jobengine_domain::id::TenantId;
use jobengine_queue::{Hint, Queue};
use jobengine_store::{Store, StoreError};

use crate::driver::{Duty, Report};
use crate::tenants::each;

/// Jobs ended per transaction: one short lock.
const TIME_OUT_MAX: u32 = 500;

/// Times out jobs whose deadline has passed, wherever they stand.
pub struct JobDeadline {
    store: Store,
    queue: Arc<dyn Queue>,
}

impl JobDeadline {
    /// Times out what is in `store`; children that may start now are told through `queue`.
    pub const fn new(store: Store, queue: Arc<dyn Queue>) -> Self {
        Self { store, queue }
    }

    async fn time_out(&self, tenant: TenantId) -> Result<Report, StoreError> {
        let ended = self.store.time_out(tenant, TIME_OUT_MAX).await?;
        if ended > 0 {
            self.queue.announce(&[Hint::anything(tenant)]);
        }
        Ok(Report {
            done: ended,
            more: ended >= TIME_OUT_MAX as usize,
        })
    }
}

impl Duty for JobDeadline {
    const NAME: &'static str = "job_deadline";

    async fn activate(&self) -> Result<Report, StoreError> {
        let tenants = self.store.tenants_overdue().await?;
        each(Self::NAME, tenants, |tenant| self.time_out(tenant)).await
    }
}
