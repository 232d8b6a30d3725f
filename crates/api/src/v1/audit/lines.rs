//! The lines of an export, a batch at a time.

use jobengine_domain::audit::export;
use jobengine_store::{Store, StoreError};

use super::range::Range;
use crate::identity::Caller;

/// Writes an export as it is asked for: one short transaction and at most one batch in memory at a time.
pub(super) struct Lines {
    store: Store,
    caller: Caller,
    range: Range,
    /// The last row written; `None` before the header.
    at: Option<u64>,
}

impl Lines {
    pub(super) const fn new(store: Store, caller: Caller, range: Range) -> Self {
        Self {
            store,
            caller,
            range,
            at: None,
        }
    }

    /// The next lines; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let header = &self.range.header;
        let Some(at) = self.at else {
            self.at = Some(header.first - 1);
            let mut lines = export::header(header);
            if let Some(anchor) = &self.range.anchor {
                lines.extend(export::anchor(anchor));
            }
            return Ok(Some(lines));
        };
        if at >= header.last {
            return Ok(None);
        }
        let tx = self.store.read(&self.caller).await?;
        let batch = tx.audit_checkpoints(at, 1).await?.into_iter().next();
        // Every checkpoint stays; only somebody who deletes behind our back can take it away.
        let batch = batch.ok_or(StoreError::Corrupt {
            place: "audit_checkpoint.first",
        })?;
        let rows = tx.audit_sealed(batch.first, batch.size).await?;
        tx.commit().await?;
        let mut lines: Vec<u8> = rows
            .iter()
            .flat_map(|(row, seal)| export::row(row, seal))
            .collect();
        lines.extend(export::checkpoint(&batch.envelope));
        self.at = Some(batch.size);
        Ok(Some(lines))
    }

    /// The last row written.
    pub(super) fn at(&self) -> u64 {
        self.at.unwrap_or(0)
    }
}
