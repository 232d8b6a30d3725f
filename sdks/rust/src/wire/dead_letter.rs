//! Dead letters: jobs out of attempts, awaiting a person.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The job.
    pub job_id: Uuid,
    /// Its type.
    #[serde(rename = "type")]
    pub job_type: String,
    /// Why it failed, in one word.
    pub class: String,
    /// Why it failed, for people.
    #[serde(default)]
    pub detail: String,
    /// `open`, `replayed`, `discarded`.
    pub decision: String,
    /// Since when.
    pub opened_at: String,
}
