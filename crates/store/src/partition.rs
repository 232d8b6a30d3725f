//! Time partitions: made ahead of time.

use crate::connect::Store;
use crate::error::StoreError;

impl Store {
    /// Makes the weekly partitions up to `weeks` ahead; returns how many were new.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn partitions_ensure(&self, weeks: u32) -> Result<i32, StoreError> {
        let weeks = crate::ticket::signed(weeks);
        let row = self
            .sched()
            .await?
            .query_one(include_str!("partition/ensure.sql"), &[&weeks])
            .await?;
        Ok(row.get("made"))
    }
}
