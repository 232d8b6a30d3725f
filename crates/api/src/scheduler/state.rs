//! What the operations of the scheduler share.

use std::sync::Arc;

use jobengine_domain::dsse::PublicKey;
use jobengine_store::ImpactIndexes;

/// What the operations of the scheduler share.
#[derive(Debug, Clone, Default)]
pub(crate) struct SchedulerState {
    /// The impact index of each tenant.
    pub indexes: Arc<ImpactIndexes>,
    /// The keys under which completion events are signed, current and former ones.
    pub keys: Vec<PublicKey>,
}
