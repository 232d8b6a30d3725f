//! A tenant's chain, as it is sealed so far: rows with their seals, and the signed checkpoints.

use jobengine_domain::audit::row::AuditRow;
use jobengine_domain::audit::seal::{Head, Seal};
use jobengine_domain::digest::Digest;
use jobengine_domain::dsse::Envelope;
use jobengine_domain::id::TenantId;
use jobengine_domain::stream::Place;
use jobengine_domain::time::Timestamp;

use super::row::{audit_row, checkpoint, counted, envelope, seal};
use crate::caller::Tx;
use crate::connect::Store;
use crate::error::StoreError;
use crate::event::place;
use crate::job::digest;

/// Where a tenant's chain ends, and behind which row its next one stands.
#[derive(Debug, Clone)]
pub struct ChainEnd {
    /// The end of the chain.
    pub head: Head,
    /// The place of the last sealed row in the order of commits.
    pub place: Place,
    /// The last checkpoint.
    pub envelope: Option<Envelope>,
}

/// A stored checkpoint.
#[derive(Debug, Clone)]
pub struct CheckpointRecord {
    /// The number of its batch's first row.
    pub first: u64,
    /// The number of its last row.
    pub size: u64,
    /// The epoch it was sealed under.
    pub epoch: u64,
    /// The chain's hash at its end.
    pub head: Digest,
    /// The digest of what is signed.
    pub digest: Digest,
    /// What is signed, with its signature.
    pub envelope: Envelope,
    /// When.
    pub sealed_at: Timestamp,
}

impl Tx {
    /// What names this installation in what is signed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_origin(&self) -> Result<String, StoreError> {
        let row = self.query_one(include_str!("origin.sql"), &[]).await?;
        Ok(row.get("origin"))
    }

    /// The end of the tenant's chain.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_end(&self) -> Result<ChainEnd, StoreError> {
        let row = self.query_opt(include_str!("head.sql"), &[]).await?;
        let Some(row) = row else {
            return Ok(ChainEnd {
                head: Head::genesis(self.tenant()),
                place: Place::start(),
                envelope: None,
            });
        };
        Ok(ChainEnd {
            head: Head {
                size: counted(&row, "size")?,
                hash: digest(row.get("head"), "audit_checkpoint.head")?,
                checkpoint: Some(digest(row.get("digest"), "audit_checkpoint.digest")?),
                epoch: counted(&row, "epoch")?,
            },
            place: place(row.get("txid"), row.get("audit_id"))?,
            envelope: Some(envelope(&row)?),
        })
    }

    /// The sealed rows with these numbers, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_sealed(
        &self,
        first: u64,
        last: u64,
    ) -> Result<Vec<(AuditRow, Seal)>, StoreError> {
        let rows = self
            .query(
                include_str!("sealed.sql"),
                &[&first.cast_signed(), &last.cast_signed()],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let seal = seal(row)?.ok_or(StoreError::Corrupt {
                    place: "audit_seal.sequence",
                })?;
                Ok((audit_row(self.tenant(), row)?, seal))
            })
            .collect()
    }

    /// Checkpoints whose batches begin after this row, at most `limit`, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_checkpoints(
        &self,
        after: u64,
        limit: u32,
    ) -> Result<Vec<CheckpointRecord>, StoreError> {
        let rows = self
            .query(
                include_str!("checkpoints.sql"),
                &[&after.cast_signed(), &i64::from(limit)],
            )
            .await?;
        rows.iter().map(checkpoint).collect()
    }

    /// The checkpoint of the batch that a row is in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_checkpoint_at(
        &self,
        sequence: u64,
    ) -> Result<Option<CheckpointRecord>, StoreError> {
        let row = self
            .query_opt(
                include_str!("checkpoint_at.sql"),
                &[&sequence.cast_signed()],
            )
            .await?;
        row.as_ref().map(checkpoint).transpose()
    }
}

impl Store {
    /// Tenants with a chain, and the place of the last sealed row of each in the order of commits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenants_sealed(&self) -> Result<Vec<(TenantId, Place)>, StoreError> {
        let rows = self
            .sched()
            .await?
            .query(include_str!("ended.sql"), &[])
            .await?;
        rows.iter()
            .map(|row| {
                let place = place(row.get("txid"), row.get("audit_id"))?;
                Ok((TenantId(row.get("tenant_id")), place))
            })
            .collect()
    }
}
