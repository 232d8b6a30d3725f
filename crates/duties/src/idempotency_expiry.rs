//! Forgets the answers of keyed requests whose window is over.

use jobengine_domain::caller::Caller;
use jobengine_store::{Store, StoreError};

use crate::driver::{Duty, Report};
use crate::tenants::each;

/// Answers forgotten per transaction.
const BATCH: u32 = 1_000;

/// Forgets answers that no longer count.
#[derive(Debug)]
pub struct IdempotencyExpiry {
    store: Store,
}

impl IdempotencyExpiry {
    /// Forgets what is in `store`.
    pub const fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Duty for IdempotencyExpiry {
    const NAME: &'static str = "idempotency_expiry";

    async fn activate(&self) -> Result<Report, StoreError> {
        let tenants = self.store.tenants_with_expired_answers().await?;
        each(Self::NAME, tenants, async |tenant| {
            let tx = self.store.begin(&Caller::system(tenant)).await?;
            let done = tx.idempotency_expire(BATCH).await?;
            tx.commit().await?;
            Ok(Report {
                done,
                more: done >= BATCH as usize,
            })
        })
        .await
    }
}
