//! The audit trail: what was done, found again.

mod chain;
mod row;
mod seal;

pub use chain::{ChainEnd, CheckpointRecord};
pub use seal::{SEALER, SealError};

use jobengine_domain::audit::row::AuditRow;
use jobengine_domain::audit::seal::Seal;
use jobengine_domain::id::AuditId;
use jobengine_domain::time::Timestamp;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::search::id_floor;
use crate::ts::Ts;
use row::record;

/// Rows looked at in one search.
const SCAN_MAX: i64 = 50_000;
/// The id of a row is of a moment so long after the row's at most: no transaction that acts is open for longer.
const DRAWN_LATE_MS: u64 = 5 * 60 * 1_000;

/// An audit row with its seal; it has none in the first moments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// The row.
    pub row: AuditRow,
    /// Its number and the chain's hash at it.
    pub seal: Option<Seal>,
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
