//! The tenants that are suspended, as of a second ago: their tokens are refused at the door.
//!
//! Grants do not hang on this copy: the claim asks the ledger itself.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jobengine_domain::caller::Caller;
use jobengine_domain::id::TenantId;
use jobengine_store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

/// How old the copy gets.
const REFRESH: Duration = Duration::from_secs(1);
/// Suspended tenants that are kept: bounds the memory.
const SUSPENDED_MAX: u32 = 100_000;

/// The suspended tenants. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Suspended(Arc<RwLock<BTreeSet<TenantId>>>);

impl Suspended {
    /// Whether a tenant is among them.
    pub(crate) fn contains(&self, tenant: TenantId) -> bool {
        let suspended = self.0.read().unwrap_or_else(PoisonError::into_inner);
        suspended.contains(&tenant)
    }

    /// Takes note of a change that this process made itself.
    pub(crate) fn set(&self, tenant: TenantId, suspended: bool) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if suspended {
            all.insert(tenant);
        } else {
            all.remove(&tenant);
        }
    }

    /// Reads them again and again until `stop`. While the database is away, the last copy counts.
    pub(crate) async fn follow(self, store: Store, stop: CancellationToken) {
        loop {
            match read(&store).await {
                Ok(suspended) => {
                    *self.0.write().unwrap_or_else(PoisonError::into_inner) = suspended;
                }
                Err(error) => {
                    tracing::debug!(%error, "the suspended tenants could not be read");
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(REFRESH) => {}
            }
        }
    }
}

async fn read(store: &Store) -> Result<BTreeSet<TenantId>, StoreError> {
    let tx = store.read(&Caller::system(TenantId::INSTALLATION)).await?;
    let suspended = tx.tenant_list(Some(true), None, SUSPENDED_MAX).await?;
    tx.commit().await?;
    Ok(suspended.into_iter().map(|tenant| tenant.id).collect())
}
