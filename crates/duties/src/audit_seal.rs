//! Seals the audit trail: the rows that were committed become links of their tenant's chain, under a
//! signed checkpoint.
//!
//! One replica leads for a tenant, so that others do not work in vain. What guards the chain is the
//! write: it names the leader's epoch and the end that the batch continues, and is refused otherwise.

use std::sync::Arc;
use std::time::Duration;

use jobengine_domain::audit::seal::{BATCH_MAX, Batch, seal};
use jobengine_domain::caller::Caller;
use jobengine_domain::dsse::SigningKey;
use jobengine_domain::id::TenantId;
use jobengine_domain::leader::Bid;
use jobengine_domain::metric;
use jobengine_store::{Place, SEALER, SealError, Store, StoreError};
use jobengine_telemetry::{Age, Counter, Registry};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::driver::{Duty, Report};
use crate::tenants::each;

/// Seals what is not sealed.
#[derive(Debug)]
pub struct AuditSeal {
    store: Store,
    key: Arc<SigningKey>,
    replica: Uuid,
    age: Age<0>,
    sealed: Counter<0>,
    refused: Counter<0>,
    /// The oldest row found unsealed in the pass under way.
    oldest: Mutex<Duration>,
}

/// A batch that was read and computed, but not written yet.
struct Prepared {
    batch: Batch,
    places: Vec<Place>,
    waited: Duration,
}

impl AuditSeal {
    /// Seals in `store` with `key`, as the replica of this name.
    pub fn new(store: Store, key: Arc<SigningKey>, replica: Uuid, registry: &Registry) -> Self {
        Self {
            store,
            key,
            replica,
            age: registry.age(&metric::audit::UNSEALED_AGE),
            sealed: registry.counter(&metric::audit::SEALED),
            refused: registry.counter(&metric::audit::REFUSED),
            oldest: Mutex::new(Duration::ZERO),
        }
    }

    async fn seal(&self, tenant: TenantId) -> Result<Report, StoreError> {
        let caller = Caller::system(tenant);
        let tx = self.store.begin(&caller).await?;
        let bid = tx.leader_bid(SEALER, self.replica).await?;
        tx.commit().await?;
        let epoch = match bid {
            Bid::Keep(leader) => leader.epoch,
            Bid::Take(leader) => {
                tracing::info!(tenant = %tenant, epoch = leader.epoch, "sealing the audit trail from now on");
                leader.epoch
            }
            Bid::Wait(_) => return Ok(Report::default()),
        };
        let Some(prepared) = self.prepare(&caller, epoch).await? else {
            return Ok(Report::default());
        };
        let mut oldest = self.oldest.lock().await;
        *oldest = prepared.waited.max(*oldest);
        drop(oldest);
        self.append(&caller, prepared).await
    }

    /// Reads the end of the chain and the rows after it, and computes the next batch.
    async fn prepare(&self, caller: &Caller, epoch: u64) -> Result<Option<Prepared>, StoreError> {
        let tx = self.store.begin(caller).await?;
        let end = tx.audit_end().await?;
        let origin = tx.audit_origin().await?;
        let (places, rows): (Vec<_>, Vec<_>) = tx
            .audit_unsealed(&end.place, BATCH_MAX)
            .await?
            .into_iter()
            .unzip();
        let now = tx.now();
        tx.commit().await?;
        let waited = rows.first().map_or(0, |row| now.ms_since(row.occurred_at));
        let batch = seal(&end.head, &rows, &origin, caller.tenant, epoch, now);
        Ok(batch.map(|batch| Prepared {
            batch,
            places,
            waited: Duration::from_millis(waited),
        }))
    }

    async fn append(&self, caller: &Caller, prepared: Prepared) -> Result<Report, StoreError> {
        let Prepared { batch, places, .. } = prepared;
        let envelope = batch.checkpoint.sign(&self.key);
        let tx = self.store.begin(caller).await?;
        match tx.audit_append(&batch, &envelope, &places).await {
            Ok(()) => tx.commit().await?,
            Err(SealError::Store(error)) => return Err(error),
            // The other replica seals these rows: there is nothing to do.
            Err(SealError::Refused(refused)) => {
                self.refused.inc([]);
                tracing::warn!(tenant = %caller.tenant, epoch = batch.checkpoint.epoch, %refused, "a batch of the audit trail was not sealed");
                return Ok(Report::default());
            }
        }
        self.sealed.add([], places.len() as u64);
        Ok(Report {
            done: places.len(),
            more: places.len() >= BATCH_MAX as usize,
        })
    }
}

impl Duty for AuditSeal {
    const NAME: &'static str = "audit_seal";

    async fn activate(&self) -> Result<Report, StoreError> {
        let tenants = self.store.tenants_unsealed().await?;
        let report = each(Self::NAME, tenants, |tenant| self.seal(tenant)).await;
        let oldest = std::mem::take(&mut *self.oldest.lock().await);
        self.age.set([], oldest);
        report
    }
}
