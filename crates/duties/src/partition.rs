//! Makes time partitions before they are needed.

use jobengine_store::{Store, StoreError};

use crate::driver::{Duty, Report};

/// Partitions stand so many weeks ahead: a service whose duties do not run for a month still has
/// where to write, and beyond that the default partition takes it.
const WEEKS_AHEAD: u32 = 4;

/// Makes the weekly partitions of the coming month.
#[derive(Debug)]
pub struct Partition {
    store: Store,
}

impl Partition {
    /// Makes partitions in `store`.
    pub const fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Duty for Partition {
    const NAME: &'static str = "partition";

    async fn activate(&self) -> Result<Report, StoreError> {
        let made = self.store.partitions_ensure(WEEKS_AHEAD).await?;
        Ok(Report {
            done: made.unsigned_abs() as usize,
            more: false,
        })
    }
}
