//! The audit trail: reading its rows, and sealing them.

use jobengine_domain::audit::checkpoint::Checkpoint;
use jobengine_domain::audit::row::AuditRow;
use jobengine_domain::audit::seal::{Batch, Head, Refused, Seal, admit};
use jobengine_domain::canon::canonical;
use jobengine_domain::digest::Digest;
use jobengine_domain::dsse::Envelope;
use jobengine_domain::id::{AuditId, TenantId};
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::caller::Tx;
use crate::connect::Store;
use crate::error::StoreError;
use crate::event::place;
use crate::job::digest;
use crate::search::id_floor;
use crate::ts::Ts;
use jobengine_domain::stream::Place;

/// Rows looked at in one search.
const SCAN_MAX: i64 = 50_000;
/// The id of a row is of a moment so long after the row's at most: no transaction that acts is open for longer.
const DRAWN_LATE_MS: u64 = 5 * 60 * 1_000;

/// The duty that seals, as the leader's row names it.
pub const SEALER: &str = "audit-seal";

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

/// An audit row with its seal; it has none in the first moments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// The row.
    pub row: AuditRow,
    /// Its number and the chain's hash at it.
    pub seal: Option<Seal>,
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

/// Which audit rows to list: all of what is named must fit.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// The principal.
    pub subject: Option<String>,
    /// The operation.
    pub operation: Option<String>,
    /// What kind of thing was changed.
    pub object_kind: Option<String>,
    /// Which one.
    pub object_id: Option<String>,
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Below this id: where the page before ended.
    pub below: Option<AuditId>,
    /// At most so many.
    pub limit: u32,
}

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

impl AuditFilter {
    /// Between which ids the rows lie, the bounds themselves left out.
    fn bounds(&self) -> (Uuid, Uuid) {
        let low = self.from.map_or(0, |at| id_floor(at).saturating_sub(1));
        // An id is not drawn before its row's moment, but may be of a later one that another transaction
        // had seen by then.
        let late = |at: Timestamp| id_floor(at.plus_ms(DRAWN_LATE_MS));
        let high = self.until.map_or(u128::MAX, late);
        let high = self.below.map_or(high, |below| high.min(below.0.as_u128()));
        (Uuid::from_u128(low), Uuid::from_u128(high))
    }
}

impl Tx {
    /// What names this installation in what is signed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_origin(&self) -> Result<String, StoreError> {
        let row = self
            .query_one(include_str!("audit/origin.sql"), &[])
            .await?;
        Ok(row.get("origin"))
    }

    /// The end of the tenant's chain.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_end(&self) -> Result<ChainEnd, StoreError> {
        let row = self.query_opt(include_str!("audit/head.sql"), &[]).await?;
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
            .query_one(include_str!("audit/restored.sql"), &[&txid])
            .await?
            .get("restored");
        let rows = if restored {
            self.query(include_str!("audit/unsealed_restored.sql"), &[&limit])
                .await?
        } else {
            let params: [&(dyn ToSql + Sync); 3] = [&txid, &last, &limit];
            self.query(include_str!("audit/unsealed.sql"), &params)
                .await?
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
        self.execute(include_str!("audit/seal_put.sql"), &params)
            .await?;
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
        self.execute(include_str!("audit/checkpoint_put.sql"), &params)
            .await
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
                include_str!("audit/sealed.sql"),
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
                include_str!("audit/checkpoints.sql"),
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
                include_str!("audit/checkpoint_at.sql"),
                &[&sequence.cast_signed()],
            )
            .await?;
        row.as_ref().map(checkpoint).transpose()
    }

    /// Audit rows, the newest first, and below which id to look next. Looks at a bounded number of them:
    /// there may be more below, also when there are few or none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_list(
        &self,
        filter: &AuditFilter,
    ) -> Result<(Vec<AuditRecord>, Option<AuditId>), StoreError> {
        let (low, high) = filter.bounds();
        let params: [&(dyn ToSql + Sync); 10] = [
            &filter.subject,
            &filter.operation,
            &filter.object_kind,
            &filter.object_id,
            &low,
            &high,
            &SCAN_MAX,
            &filter.from.map(Ts),
            &filter.until.map(Ts),
            &i64::from(filter.limit),
        ];
        let rows = self.query(include_str!("audit/list.sql"), &params).await?;
        let records: Vec<AuditRecord> = rows
            .iter()
            .map(|row| record(self.tenant(), row))
            .collect::<Result<_, _>>()?;
        if records.len() >= filter.limit as usize {
            let last = records.last().map(|record| record.row.audit_id);
            return Ok((records, last));
        }
        let bounds: [&(dyn ToSql + Sync); 3] = [&low, &high, &SCAN_MAX];
        let last = self
            .query_opt(include_str!("audit/looked_at.sql"), &bounds)
            .await?;
        Ok((records, last.map(|row| AuditId(row.get("audit_id")))))
    }

    /// One audit row.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_find(&self, id: AuditId) -> Result<Option<AuditRecord>, StoreError> {
        let row = self
            .query_opt(include_str!("audit/find.sql"), &[&id.0])
            .await?;
        row.as_ref()
            .map(|row| record(self.tenant(), row))
            .transpose()
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
            .query(include_str!("audit/tenants.sql"), &[])
            .await?;
        Ok(rows
            .iter()
            .map(|row| TenantId(row.get("tenant_id")))
            .collect())
    }

    /// Tenants with a chain, and the place of the last sealed row of each in the order of commits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenants_sealed(&self) -> Result<Vec<(TenantId, Place)>, StoreError> {
        let rows = self
            .sched()
            .await?
            .query(include_str!("audit/ended.sql"), &[])
            .await?;
        rows.iter()
            .map(|row| {
                let place = place(row.get("txid"), row.get("audit_id"))?;
                Ok((TenantId(row.get("tenant_id")), place))
            })
            .collect()
    }
}

fn record(tenant: TenantId, row: &Row) -> Result<AuditRecord, StoreError> {
    Ok(AuditRecord {
        row: audit_row(tenant, row)?,
        seal: seal(row)?,
    })
}

fn audit_row(tenant: TenantId, row: &Row) -> Result<AuditRow, StoreError> {
    let bytes = |column: &str, place| {
        row.get::<_, Option<&[u8]>>(column)
            .map(|bytes| digest(bytes, place))
            .transpose()
    };
    Ok(AuditRow {
        audit_id: AuditId(row.get("audit_id")),
        tenant_id: tenant,
        occurred_at: row.get::<_, Ts>("occurred_at").0,
        subject: row.get("subject"),
        credential: row.get("credential"),
        operation: row.get("operation"),
        scope: row.get("scope"),
        object_kind: row.get("object_kind"),
        object_id: row.get("object_id"),
        before_digest: bytes("before_digest", "audit.before_digest")?,
        after_digest: bytes("after_digest", "audit.after_digest")?,
        reason: row.get("reason"),
        ticket: row.get("ticket"),
        request_id: row.get("request_id"),
        correlation_id: row.get("correlation_id"),
        source: row.get("source"),
    })
}

fn seal(row: &Row) -> Result<Option<Seal>, StoreError> {
    if row.get::<_, Option<i64>>("sequence").is_none() {
        return Ok(None);
    }
    Ok(Some(Seal {
        sequence: counted(row, "sequence")?,
        hash: digest(row.get("hash"), "audit_seal.hash")?,
    }))
}

fn checkpoint(row: &Row) -> Result<CheckpointRecord, StoreError> {
    Ok(CheckpointRecord {
        first: counted(row, "first")?,
        size: counted(row, "size")?,
        epoch: counted(row, "epoch")?,
        head: digest(row.get("head"), "audit_checkpoint.head")?,
        digest: digest(row.get("digest"), "audit_checkpoint.digest")?,
        envelope: envelope(row)?,
        sealed_at: row.get::<_, Ts>("sealed_at").0,
    })
}

fn envelope(row: &Row) -> Result<Envelope, StoreError> {
    serde_json::from_str(row.get("envelope")).map_err(|_| StoreError::Corrupt {
        place: "audit_checkpoint.envelope",
    })
}

fn counted(row: &Row, column: &'static str) -> Result<u64, StoreError> {
    u64::try_from(row.get::<_, i64>(column)).map_err(|_| StoreError::Corrupt { place: column })
}
