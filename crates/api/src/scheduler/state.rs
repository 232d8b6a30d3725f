//! What the operations of the scheduler share.

use std::sync::Arc;

use jobengine_store::ImpactIndexes;

use crate::signing::PublishedKey;

/// What the operations of the scheduler share.
#[derive(Debug, Clone, Default)]
pub(crate) struct SchedulerState {
    /// The impact index of each tenant.
    pub indexes: Arc<ImpactIndexes>,
    /// The keys under which the installation signs, current and former ones.
    pub keys: Vec<PublishedKey>,
}
