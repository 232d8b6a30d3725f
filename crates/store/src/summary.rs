//! How many jobs are in which state, as far as they are counted.

use std::collections::BTreeMap;

use crate::caller::Tx;
use crate::error::StoreError;

/// Jobs of one state are counted up to here.
pub const JOBS_COUNTED_MAX: u64 = 100_000;

impl Tx {
    /// Counts the tenant's jobs by state, up to [`JOBS_COUNTED_MAX`] of each.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn job_counts(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let most = i64::try_from(JOBS_COUNTED_MAX).expect("a small number");
        let rows = self
            .query(include_str!("summary/count.sql"), &[&most])
            .await?;
        Ok(rows
            .iter()
            .map(|row| {
                let jobs = row.get::<_, i64>("jobs").unsigned_abs();
                (row.get("state"), jobs.min(JOBS_COUNTED_MAX))
            })
            .collect())
    }
}
