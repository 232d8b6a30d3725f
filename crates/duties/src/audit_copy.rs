//! Copies checkpoints of the audit trail out of the database: into the spool, and once a day into the log.
//!
//! Whoever can write to the database can roll it back; a checkpoint that is held outside tells. Every
//! replica copies, each into its own spool: more places are better.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jobengine_domain::caller::Caller;
use jobengine_domain::id::TenantId;
use jobengine_domain::time::Timestamp;
use jobengine_store::{ChainEnd, Place, Store, StoreError};
use tokio::sync::Mutex;

use crate::driver::{Duty, Report};
use crate::spool;
use crate::tenants::each;

const DAY_US: i64 = 86_400_000_000;

/// Copies the newest checkpoint of each tenant whose chain has grown.
#[derive(Debug)]
pub struct AuditCopy {
    store: Store,
    spool: PathBuf,
    copied: Mutex<BTreeMap<TenantId, Copied>>,
}

#[derive(Debug, Clone)]
struct Copied {
    place: Place,
    day: i64,
}

impl AuditCopy {
    /// Copies from `store` into `spool`, which is made when it is missing.
    pub fn new(store: Store, spool: PathBuf) -> Self {
        Self {
            store,
            spool,
            copied: Mutex::new(BTreeMap::new()),
        }
    }

    async fn copy(&self, tenant: TenantId) -> Result<Report, StoreError> {
        let tx = self.store.begin(&Caller::system(tenant)).await?;
        let (end, now) = (tx.audit_end().await?, tx.now());
        tx.commit().await?;
        let Some(envelope) = &end.envelope else {
            return Ok(Report::default());
        };
        let text = serde_json::to_string(envelope).expect("an envelope holds texts only");
        // Its number tells a repeat, and keeps what was copied before.
        let name = format!("audit-checkpoint.{:020}.dsse.json", end.head.size);
        let (dir, body) = (self.spool.join(tenant.to_string()), text.clone());
        let draft = now.as_micros();
        let written =
            tokio::task::spawn_blocking(move || spool::put(&dir, &name, draft, body.as_bytes()));
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(tenant = %tenant, size = end.head.size, %error, "checkpoint could not be written to the spool; trying again later");
                return Ok(Report::default());
            }
            Err(error) => {
                tracing::warn!(tenant = %tenant, size = end.head.size, %error, "writing to the spool ended early");
                return Ok(Report::default());
            }
        }
        self.note(tenant, end, now, &text).await;
        Ok(Report {
            done: 1,
            more: false,
        })
    }

    /// Remembers what was copied, and says it aloud once a day.
    async fn note(&self, tenant: TenantId, end: ChainEnd, now: Timestamp, envelope: &str) {
        let day = now.as_micros().div_euclid(DAY_US);
        let place = end.place;
        let before = self
            .copied
            .lock()
            .await
            .insert(tenant, Copied { place, day });
        if before.is_none_or(|before| before.day != day) {
            let (size, epoch) = (end.head.size, end.head.epoch);
            tracing::info!(tenant = %tenant, size, epoch, head = %end.head.hash, envelope, "checkpoint of the audit trail at {size}");
        }
    }
}

impl Duty for AuditCopy {
    const NAME: &'static str = "audit_copy";

    async fn activate(&self) -> Result<Report, StoreError> {
        let ends = self.store.tenants_sealed().await?;
        let mut copied = self.copied.lock().await;
        copied.retain(|tenant, _| ends.iter().any(|(other, _)| other == tenant));
        let grown: Vec<TenantId> = ends
            .into_iter()
            .filter(|(tenant, place)| copied.get(tenant).is_none_or(|it| it.place != *place))
            .map(|(tenant, _)| tenant)
            .collect();
        drop(copied);
        each(Self::NAME, grown, |tenant| self.copy(tenant)).await
    }
}
