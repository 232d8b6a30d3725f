//! Drops jobs that ended long ago.

use std::time::Duration;

use jobengine_domain::time::Timestamp;
use jobengine_store::{Store, StoreError};

use crate::driver::{Duty, Report};

/// Drops whole weeks of jobs once the youngest of them was submitted longer ago than history is kept.
#[derive(Debug)]
pub struct HistoryTrim {
    store: Store,
    kept: Duration,
}

impl HistoryTrim {
    /// Trims the history in `store`, of which it keeps so much.
    pub const fn new(store: Store, kept: Duration) -> Self {
        Self { store, kept }
    }
}

impl Duty for HistoryTrim {
    const NAME: &'static str = "history_trim";

    async fn activate(&self) -> Result<Report, StoreError> {
        let kept = i64::try_from(self.kept.as_micros()).unwrap_or(i64::MAX);
        let now = self.store.now().await?.as_micros();
        let before = Timestamp::from_micros(now.saturating_sub(kept));
        let trimmed = self.store.history_trim(before).await?;
        if trimmed.weeks > 0 {
            tracing::info!(
                weeks = trimmed.weeks,
                "the history of some weeks is no longer kept"
            );
        }
        Ok(Report {
            done: usize::try_from(trimmed.rows + trimmed.weeks).unwrap_or(usize::MAX),
            // A week that is being read is left for the next pass.
            more: trimmed.rows > 0,
        })
    }
}
