//! Deliveries are kept for two weeks: long enough to look into, and to send again.

use jobengine_domain::caller::Caller;
use jobengine_domain::id::TenantId;
use jobengine_domain::time::Timestamp;
use jobengine_domain::webhook::RETENTION_MS;
use jobengine_store::{Store, StoreError};

use crate::driver::{Duty, Report};
use crate::tenants::each;

/// Deliveries removed in one transaction.
const BATCH: u32 = 1_000;
/// Of the oldest so many, the tenants are found that have some to remove.
const LOOKED_AT: u32 = 10_000;

/// Removes old deliveries, whatever became of them.
#[derive(Debug)]
pub struct WebhookRetention {
    store: Store,
}

impl WebhookRetention {
    /// Cleans up in `store`.
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    async fn tenant(&self, tenant: TenantId, before: Timestamp) -> Result<Report, StoreError> {
        let tx = self.store.begin(&Caller::system(tenant)).await?;
        let removed = tx.deliveries_remove_old(before, BATCH).await?;
        tx.commit().await?;
        Ok(Report {
            done: usize::try_from(removed).unwrap_or(usize::MAX),
            more: removed >= u64::from(BATCH),
        })
    }
}

impl Duty for WebhookRetention {
    const NAME: &'static str = "webhook_retention";

    async fn activate(&self) -> Result<Report, StoreError> {
        let kept_us = i64::try_from(RETENTION_MS * 1_000).expect("two weeks fit");
        let now = self.store.now().await?;
        let before = Timestamp::from_micros(now.as_micros().saturating_sub(kept_us));
        let tenants = self
            .store
            .tenants_with_old_deliveries(before, LOOKED_AT)
            .await?;
        each(Self::NAME, tenants, |tenant| self.tenant(tenant, before)).await
    }
}
