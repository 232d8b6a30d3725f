//! Carries out bulk actions, slice by slice.

use std::sync::Arc;

use jobengine_domain::id::TenantId;
use jobengine_queue::{Hint, Queue};
use jobengine_store::{Store, StoreError};

use crate::driver::{Duty, Report};
use crate::tenants::each;

/// Carries out what was confirmed: a slice of each tenant in turn.
pub struct BulkActions {
    store: Store,
    queue: Arc<dyn Queue>,
}

impl BulkActions {
    /// Works on `store`; jobs that a slice makes ready are announced through `queue`.
    pub const fn new(store: Store, queue: Arc<dyn Queue>) -> Self {
        Self { store, queue }
    }

    async fn slice(&self, tenant: TenantId) -> Result<Report, StoreError> {
        let Some(slice) = self.store.bulk_slice(tenant).await? else {
            return Ok(Report::default());
        };
        self.queue.announce(&Hint::jobs(tenant, slice.ready));
        Ok(Report {
            done: slice.items,
            more: true,
        })
    }
}

impl Duty for BulkActions {
    const NAME: &'static str = "bulk";

    async fn activate(&self) -> Result<Report, StoreError> {
        let tenants = self.store.tenants_with_bulk().await?;
        each(Self::NAME, tenants, |tenant| self.slice(tenant)).await
    }
}
