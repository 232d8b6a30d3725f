//! A tenant's share of the connections: however many of its requests stand before a lock of its own, the
//! others find some free.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jobengine_domain::id::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Tenants that are remembered before those without a transaction are forgotten.
const TENANTS_MAX: usize = 1_024;

/// The shares of the tenants.
#[derive(Debug)]
pub(crate) struct Shares {
    each: usize,
    tenants: Mutex<HashMap<TenantId, Arc<Semaphore>>>,
}

/// One connection of a tenant's share, while it is held.
#[derive(Debug)]
pub(crate) struct Share(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit);

impl Shares {
    /// Three quarters of the connections for each tenant: one alone is hardly held back, and two cannot
    /// do to a third what one could do to all.
    pub(crate) fn of(connections: usize) -> Self {
        Self {
            each: (connections - connections / 4).max(1),
            tenants: Mutex::default(),
        }
    }

    /// Waits until the tenant has less than its share.
    pub(crate) async fn take(&self, tenant: TenantId) -> Share {
        let share = self.share(tenant);
        Share(
            share
                .acquire_owned()
                .await
                .expect("a share is never closed"),
        )
    }

    fn share(&self, tenant: TenantId) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() >= TENANTS_MAX && !tenants.contains_key(&tenant) {
            // Whoever holds or awaits a part of a share holds the share too.
            tenants.retain(|_, share| Arc::strong_count(share) > 1);
        }
        let share = tenants.entry(tenant);
        Arc::clone(share.or_insert_with(|| Arc::new(Semaphore::new(self.each))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[tokio::test(start_paused = true)]
    async fn a_tenant_waits_for_its_own_and_never_for_anothers() {
        let shares = Shares::of(8);
        let (ours, others) = (TenantId(Uuid::from_u128(1)), TenantId(Uuid::from_u128(2)));
        let mut held = Vec::new();
        for _ in 0..6 {
            held.push(shares.take(ours).await);
        }
        let soon = std::time::Duration::from_secs(1);
        assert!(tokio::time::timeout(soon, shares.take(ours)).await.is_err());
        let _theirs = shares.take(others).await;
        held.pop();
        let _again = shares.take(ours).await;
    }

    #[tokio::test]
    async fn the_tenants_are_bounded_and_what_is_held_counts_on() {
        let shares = Shares::of(1);
        let held = shares.take(TenantId(Uuid::from_u128(0))).await;
        for tenant in 1..3_000 {
            let _ = shares.take(TenantId(Uuid::from_u128(tenant))).await;
        }
        assert!(shares.tenants.lock().unwrap().len() <= TENANTS_MAX);
        let first = shares.share(TenantId(Uuid::from_u128(0)));
        assert_eq!(first.available_permits(), 0);
        drop(held);
        assert_eq!(first.available_permits(), 1);
    }
}
