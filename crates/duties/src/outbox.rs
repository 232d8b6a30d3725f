//! Delivers what stands in the outbox: into a spool directory, one file a message.
//!
//! The spool is the way out that works air-gapped: a file transfer, a diode or another process
//! takes the files from there. A file appears whole or not at all, and its name tells a repeat.

use std::path::{Path, PathBuf};

use jobengine_domain::caller::Caller;
use jobengine_domain::id::TenantId;
use jobengine_store::{OutboxMessage, Store, StoreError};

use crate::driver::{Duty, Report};
use crate::spool;
use crate::tenants::each;

/// Messages taken per pass.
const BATCH: u32 = 50;

/// Writes due messages to a spool directory.
#[derive(Debug)]
pub struct Outbox {
    store: Store,
    spool: PathBuf,
}

impl Outbox {
    /// Delivers from `store` into `spool`, which is made when it is missing.
    pub const fn new(store: Store, spool: PathBuf) -> Self {
        Self { store, spool }
    }

    async fn deliver(&self, tenant: TenantId) -> Result<Report, StoreError> {
        let caller = Caller::system(tenant);
        let tx = self.store.begin(&caller).await?;
        let messages = tx.outbox_due(BATCH).await?;
        tx.commit().await?;
        let mut delivered = 0;
        for message in messages {
            let (id, subject, tries) = (message.id, message.subject.clone(), message.tries);
            let dir = self.spool.join(tenant.to_string());
            match tokio::task::spawn_blocking(move || deliver(&dir, &message)).await {
                Ok(Ok(())) => {
                    let tx = self.store.begin(&caller).await?;
                    tx.outbox_delivered(id).await?;
                    tx.commit().await?;
                    delivered += 1;
                }
                // It stays in the outbox and is due again after half a minute.
                Ok(Err(error)) => {
                    tracing::warn!(tenant = %tenant, subject, tries, %error, "message could not be written to the spool");
                }
                Err(error) => {
                    tracing::warn!(tenant = %tenant, subject, tries, %error, "writing to the spool ended early");
                }
            }
        }
        Ok(Report {
            done: delivered,
            more: delivered >= BATCH as usize,
        })
    }
}

impl Duty for Outbox {
    const NAME: &'static str = "outbox";

    async fn activate(&self) -> Result<Report, StoreError> {
        let tenants = self.store.tenants_with_messages().await?;
        each(Self::NAME, tenants, |tenant| self.deliver(tenant)).await
    }
}

/// Writes `TOPIC.SUBJECT.dsse.json`.
fn deliver(dir: &Path, message: &OutboxMessage) -> std::io::Result<()> {
    let name = format!("{}.{}.dsse.json", message.topic, message.subject);
    spool::put(dir, &name, message.id, &message.body)
}
