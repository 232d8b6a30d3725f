//! The lines of an export, some batches at a time.

use jobengine_domain::audit::export;
use jobengine_store::{CheckpointRecord, Store, StoreError};

use super::range::Range;
use crate::identity::Caller;

/// Batches that are read together: a quiet trail has many small ones.
const BATCHES_MAX: u32 = 200;
/// Rows of batches that are read together.
const ROWS_MAX: u64 = 1_000;

/// Writes an export as it is asked for: one short transaction and a few batches in memory at a time.
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
        let mut batches = tx.audit_checkpoints(at, BATCHES_MAX).await?;
        let few =
            |batch: &&CheckpointRecord| batch.size <= header.last && batch.size - at <= ROWS_MAX;
        let few = batches.iter().take_while(few).count();
        // The first one whatever it holds: that is bounded where it was sealed.
        batches.truncate(few.max(1));
        // Every checkpoint stays; only somebody who deletes behind our back can take it away.
        let (Some(first), Some(end)) = (batches.first(), batches.last()) else {
            return Err(StoreError::Corrupt {
                place: "audit_checkpoint.first",
            });
        };
        let end = end.size;
        let rows = tx.audit_sealed(first.first, end).await?;
        tx.commit().await?;
        let mut rows = rows.iter().peekable();
        let mut lines = Vec::new();
        for batch in &batches {
            while let Some((row, seal)) = rows.next_if(|(_, seal)| seal.sequence <= batch.size) {
                lines.extend(export::row(row, seal));
            }
            lines.extend(export::checkpoint(&batch.envelope));
        }
        self.at = Some(end);
        Ok(Some(lines))
    }

    /// The last row written.
    pub(super) fn at(&self) -> u64 {
        self.at.unwrap_or(0)
    }
}
