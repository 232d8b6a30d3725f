//! The history of jobs: kept for a time, and gone by the week.

use jobengine_domain::time::Timestamp;

use crate::connect::Store;
use crate::error::StoreError;
use crate::ts::Ts;

/// Rows of a kind that one pass removes beside the weeks it drops.
const SLICE: i32 = 1_000;

/// What a pass over the history removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryTrimmed {
    /// Artifacts, edges and decided dead letters of a week that is about to go. Where there were some, there may be more.
    pub rows: u64,
    /// Weeks of jobs, with their tags, attempts and outcomes.
    pub weeks: u64,
}

impl Store {
    /// Removes jobs that were submitted before a moment, which is at least seven days ago, by whole weeks: with their
    /// tags, attempts, outcomes, edges, artifacts and dead letters. A week stays whole while a job of it has not ended, a
    /// dead letter of it is open, or an impact run from before its end has not completed. Runs stay.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn history_trim(&self, before: Timestamp) -> Result<HistoryTrimmed, StoreError> {
        let row = self
            .sched()
            .await?
            .query_one(include_str!("history/trim.sql"), &[&Ts(before), &SLICE])
            .await?;
        let (rows, weeks): (i64, i32) = (row.get("swept"), row.get("dropped"));
        Ok(HistoryTrimmed {
            rows: rows.unsigned_abs(),
            weeks: weeks.unsigned_abs().into(),
        })
    }
}
