//! Ends jobs whose deadline has passed.

use std::sync::Arc;

use jobengine_queue::{Hint, Queue};
use jobengine_store::{Store, StoreError};

use crate::driver::{Duty, Report};

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
}

impl Duty for JobDeadline {
    const NAME: &'static str = "job_deadline";

    async fn activate(&self) -> Result<Report, StoreError> {
        let mut report = Report::default();
        for tenant in self.store.tenants_overdue().await? {
            let ended = self.store.time_out(tenant, TIME_OUT_MAX).await?;
            if ended > 0 {
                self.queue.announce(&[Hint::anything(tenant)]);
            }
            report.done += ended;
            report.more |= ended >= TIME_OUT_MAX as usize;
        }
        Ok(report)
    }
}
