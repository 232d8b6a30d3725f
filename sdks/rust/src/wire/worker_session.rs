//! Workers as the server sees them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One worker process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerSession {
    /// Which session.
    pub session_id: Uuid,
    /// The worker's name.
    pub worker: String,
    /// It holds its leases until then, unless a heartbeat comes.
    pub lease_until: String,
    /// How many it holds.
    pub leases: u64,
    /// How many jobs it does at once, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
}
