//! Sealing: rows that have no seal yet are appended to their tenant's chain, batch by batch.

use jobengine_domain::audit::checkpoint::Checkpoint;
use jobengine_domain::audit::row::AuditRow;
use jobengine_domain::audit::seal::{Batch, Refused, admit};
use jobengine_domain::canon::canonical;
use jobengine_domain::dsse::Envelope;
use jobengine_domain::id::TenantId;
use jobengine_domain::stream::Place;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::row::audit_row;
use crate::caller::Tx;
use crate::connect::Store;
use crate::error::StoreError;
use crate::event::place;
use crate::ts::Ts;

/// The duty that seals, as the leader's row names it.
pub const SEALER: &str = "audit-seal";

/// Why a batch was not appended.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It must not be: nothing was written.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Tx {
    /// The next rows to seal, at most `limit`, in the order of commits, with their places.
    ///
    /// Where the database was restored from a dump, the cluster numbers its transactions anew, below those of
    /// the sealed rows: then it is what has no seal, in the order of time, until the first of them has one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_unsealed(
        &self,
        after: &Place,
        limit: u32,
    ) -> Result<Vec<(Place, AuditRow)>, StoreError> {
        let (txid, last) = (after.txid.to_string(), after.row);
        let limit = i64::from(limit);
        let restored: bool = self
            .query_one(include_str!("restored.sql"), &[&txid])
            .await?
            .get("restored");
        let rows = if restored {
            self.query(include_str!("unsealed_restored.sql"), &[&limit])
                .await?
        } else {
            let params: [&(dyn ToSql + Sync); 3] = [&txid, &last, &limit];
            self.query(include_str!("unsealed.sql"), &params).await?
        };
        rows.iter()
            .map(|row| {
                let place = place(row.get("txid"), row.get("audit_id"))?;
                Ok((place, audit_row(self.tenant(), row)?))
            })
            .collect()
    }

    /// Appends a batch with its signed checkpoint. The places are those of its rows.
    ///
    /// # Errors
    /// [`SealError::Refused`] when another replica leads, or has appended: nothing was written.
    pub async fn audit_append(
        &self,
        batch: &Batch,
        envelope: &Envelope,
        places: &[Place],
    ) -> Result<(), SealError> {
        let checkpoint = &batch.checkpoint;
        let stored = self.audit_end().await?.head;
        let leader = self.leader_get(SEALER).await?;
        let (epoch, now) = (checkpoint.epoch, self.now());
        admit(&stored, &batch.after, epoch, leader.as_ref(), now)?;
        if self.checkpoint_put(batch, envelope, places).await? == 0 {
            // Somebody was faster between the look and the write.
            return Err(Refused::Moved {
                expected: batch.after.size,
                found: self.audit_end().await?.head.size,
            }
            .into());
        }
        let numbers: Vec<i64> = batch
            .seals
            .iter()
            .map(|seal| seal.sequence.cast_signed())
            .collect();
        let hashes: Vec<&[u8]> = batch
            .seals
            .iter()
            .map(|seal| seal.hash.as_bytes().as_slice())
            .collect();
        let (txids, ids): (Vec<String>, Vec<Uuid>) = places
            .iter()
            .map(|place| (place.txid.to_string(), place.row))
            .unzip();
        let params: [&(dyn ToSql + Sync); 5] = [&self.tenant().0, &numbers, &txids, &ids, &hashes];
        self.execute(include_str!("seal_put.sql"), &params).await?;
        Ok(())
    }

    async fn checkpoint_put(
        &self,
        batch: &Batch,
        envelope: &Envelope,
        places: &[Place],
    ) -> Result<u64, StoreError> {
        let checkpoint: &Checkpoint = &batch.checkpoint;
        let last = places.last().ok_or(StoreError::Missing("a row to seal"))?;
        let (txid, row) = (last.txid.to_string(), last.row);
        let text = canonical(envelope).expect("an envelope holds texts only");
        let text = String::from_utf8(text).expect("JSON is UTF-8");
        let before = batch.after.checkpoint;
        let before = before.as_ref().map(|digest| digest.as_bytes().as_slice());
        let (head, digest) = (checkpoint.head, checkpoint.digest());
        let params: [&(dyn ToSql + Sync); 12] = [
            &self.tenant().0,
            &checkpoint.first.cast_signed(),
            &checkpoint.size.cast_signed(),
            &checkpoint.epoch.cast_signed(),
            &head.as_bytes().as_slice(),
            &digest.as_bytes().as_slice(),
            &text,
            &txid,
            &row,
            &Ts(self.now()),
            &SEALER,
            &before,
        ];
        self.execute(include_str!("checkpoint_put.sql"), &params)
            .await
    }
}

impl Store {
    /// Tenants with audit rows that are not sealed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenants_unsealed(&self) -> Result<Vec<TenantId>, StoreError> {
        let rows = self
            .sched()
            .await?
            .query(include_str!("tenants.sql"), &[])
            .await?;
        Ok(rows
            .iter()
            .map(|row| TenantId(row.get("tenant_id")))
            .collect())
    }
}
