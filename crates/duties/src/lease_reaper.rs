//! Ends the attempts of workers that are no longer heard of.

use std::sync::Arc;

use jobengine_domain::id::TenantId;
use jobengine_queue::{Hint, Queue};
use jobengine_store::{Store, StoreError};

use crate::driver::{Duty, Report};
use crate::tenants::each;

/// Attempts ended per transaction: one short lock.
const REAP_MAX: u32 = 500;

/// Ends the attempts of worker sessions that no heartbeat holds any more.
pub struct LeaseReaper {
    store: Store,
    queue: Arc<dyn Queue>,
}

impl LeaseReaper {
    /// Reaps what is in `store` and tells waiting workers through `queue`.
    pub const fn new(store: Store, queue: Arc<dyn Queue>) -> Self {
        Self { store, queue }
    }

    async fn reap(&self, tenant: TenantId) -> Result<Report, StoreError> {
        let ended = self.store.reap(tenant, REAP_MAX).await?;
        if ended > 0 {
            tracing::warn!(tenant = %tenant, attempts = ended, "attempts ended because no heartbeat came");
            self.queue.announce(&[Hint::anything(tenant)]);
        }
        Ok(Report {
            done: ended,
            more: ended >= REAP_MAX as usize,
        })
    }
}

impl Duty for LeaseReaper {
    const NAME: &'static str = "lease_reaper";

    async fn activate(&self) -> Result<Report, StoreError> {
        let tenants = self.store.sessions_expired().await?;
        each(Self::NAME, tenants, |tenant| self.reap(tenant)).await
    }
}
