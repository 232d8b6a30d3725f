//! Drops what workers wrote down long ago.

use jobengine_domain::defaults::LOGS_KEPT_DAYS;
use jobengine_domain::time::Timestamp;
use jobengine_store::{Store, StoreError};

use crate::driver::{Duty, Report};

/// How long lines are kept, in microseconds.
const KEPT_US: i64 = LOGS_KEPT_DAYS as i64 * 24 * 60 * 60 * 1_000_000;

/// Drops whole weeks of lines once the youngest of them is older than lines are kept.
#[derive(Debug)]
pub struct LogTrim {
    store: Store,
}

impl LogTrim {
    /// Trims the lines in `store`.
    pub const fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Duty for LogTrim {
    const NAME: &'static str = "log_trim";

    async fn activate(&self) -> Result<Report, StoreError> {
        let now = self.store.now().await?.as_micros();
        let before = Timestamp::from_micros(now.saturating_sub(KEPT_US));
        Ok(Report {
            done: self.store.job_logs_trim(before).await?,
            // What is being read is left for the next pass.
            more: false,
        })
    }
}
