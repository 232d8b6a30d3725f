//! Moves jobs of paused sources out of the claim's way, and back when their sources go on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jobengine_domain::id::TenantId;
use jobengine_queue::{Hint, Queue};
use jobengine_store::{Store, StoreError, SweepPlace};

use crate::driver::{Duty, Report};
use crate::tenants::each;

/// Ready jobs looked at, and jobs released, per transaction.
const PASS_MAX: u32 = 1_000;
/// A sweep that has come to the end starts again after this: retries and late starts add jobs meanwhile, which
/// the claim passes over by itself.
const AGAIN: Duration = Duration::from_mins(1);

/// Holds and releases jobs. The pause itself has taken effect before.
pub struct Holding {
    store: Store,
    queue: Arc<dyn Queue>,
    /// How far the sweep of each tenant has come. Lost with the process, which then starts from the front.
    sweeps: Mutex<BTreeMap<TenantId, Sweep>>,
}

/// One tenant's sweep.
#[derive(Debug, Clone)]
enum Sweep {
    /// Under way, behind this place.
    Behind(SweepPlace),
    /// At the end, since then.
    Rests(Instant),
}

impl Holding {
    /// Works on `store`; released jobs are announced through `queue`.
    pub const fn new(store: Store, queue: Arc<dyn Queue>) -> Self {
        Self {
            store,
            queue,
            sweeps: Mutex::new(BTreeMap::new()),
        }
    }

    async fn pass(&self, tenant: TenantId) -> Result<Report, StoreError> {
        let sweep = self.sweeps().get(&tenant).cloned();
        let (from, limit) = match &sweep {
            Some(Sweep::Behind(place)) => (Some(place), PASS_MAX),
            Some(Sweep::Rests(since)) if since.elapsed() < AGAIN => (None, 0),
            Some(Sweep::Rests(_)) | None => (None, PASS_MAX),
        };
        let pass = self.store.holds(tenant, from, limit, PASS_MAX).await?;
        let more = pass.more || pass.next.is_some();
        if limit > 0 {
            let sweep = pass
                .next
                .map_or_else(|| Sweep::Rests(Instant::now()), Sweep::Behind);
            self.sweeps().insert(tenant, sweep);
        }
        let released: usize = pass.released.iter().map(|jobs| jobs.jobs as usize).sum();
        if released > 0 {
            self.queue.announce(&Hint::jobs(tenant, pass.released));
        }
        Ok(Report {
            done: pass.held + released,
            more,
        })
    }

    fn sweeps(&self) -> std::sync::MutexGuard<'_, BTreeMap<TenantId, Sweep>> {
        self.sweeps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Duty for Holding {
    const NAME: &'static str = "hold";

    async fn activate(&self) -> Result<Report, StoreError> {
        let tenants = self.store.tenants_holding().await?;
        // A source that is paused again is swept from the front at once.
        self.sweeps().retain(|tenant, _| tenants.contains(tenant));
        each(Self::NAME, tenants, |tenant| self.pass(tenant)).await
    }
}
