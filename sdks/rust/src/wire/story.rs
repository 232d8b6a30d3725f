//! What is known of a job: what happened to it, why it waits, what it wrote and made.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::job::Attempt;
use super::words::LogLevel;

/// What happened to a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// The job.
    pub job_id: Uuid,
    /// Its attempts in order; the one under way has neither end nor cause.
    pub attempts: Vec<Attempt>,
    /// What happened, in order.
    pub moments: Vec<Moment>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// When.
    pub at: String,
    /// What, as the type of the event that told it (`job.leased`).
    pub what: String,
    /// At which attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Why, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Why a job does not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The job.
    pub job_id: Uuid,
    /// Its state.
    pub state: String,
    /// When that was so.
    pub at: String,
    /// `dependency`, `paused`, `not_before`, `backoff` or `no_worker`; none when it runs or has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<String>,
    /// When it may start at the earliest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest_at: Option<String>,
    /// The parents for which it waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<WaitsFor>,
    /// Of a ready job: how many of its type go first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<u64>,
    /// Of a ready job: how many workers were heard of lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<u64>,
    /// The same in a sentence.
    pub text: String,
}

/// A parent for which a job waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitsFor {
    /// The parent.
    pub job_id: Uuid,
    /// Its name within the run.
    pub key: String,
}

/// A line of a job's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it arrived.
    pub at: String,
    /// Which attempt wrote it.
    pub attempt: u32,
    /// How much it matters.
    pub level: LogLevel,
    /// The line; control characters are escaped.
    pub line: String,
    /// Whether this is only its beginning.
    pub cut: bool,
}

/// Something an attempt made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobArtifact {
    /// Its name.
    pub name: String,
    /// The fence of the attempt that stored it.
    pub fence: i64,
    /// What it is.
    pub media_type: String,
    /// SHA-256 of its bytes.
    pub digest: String,
    /// How many.
    pub bytes: u64,
    /// When it was stored.
    pub created_at: String,
    /// Whether its attempt was accepted as successful: only then it counts.
    pub accepted: bool,
}
