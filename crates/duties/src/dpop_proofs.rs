//! Forgets proofs of possession that nobody takes any more.

use jobengine_store::{Store, StoreError};

use crate::driver::{Duty, Report};

/// Empties the slots of past minutes; due every minute.
#[derive(Debug)]
pub struct DpopProofs {
    store: Store,
}

impl DpopProofs {
    /// Forgets proofs in `store`.
    pub const fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Duty for DpopProofs {
    const NAME: &'static str = "dpop_proofs";

    async fn activate(&self) -> Result<Report, StoreError> {
        self.store.dpop_proofs_trim().await?;
        Ok(Report {
            done: 0,
            more: false,
        })
    }
}
