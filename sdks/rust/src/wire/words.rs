//! What a worker says between claim and report.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::lease::LeaseToken;

/// Whether a word on a lease counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseWord {
    /// The job.
    pub job_id: Uuid,
    /// Whether its lease is held: if not, stop it, nothing you say about it counts.
    pub accepted: bool,
}

/// How far a job is, said under its lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgressReport {
    /// The job.
    pub job_id: Uuid,
    /// Proof of holding its lease.
    pub lease_token: LeaseToken,
    /// 0 to 1000.
    pub permille: u16,
    /// In a few words, up to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For whoever looks for a fault.
    Debug,
    /// The default.
    #[default]
    Info,
    /// Something to look at.
    Warn,
    /// Something failed.
    Error,
}

/// A line for a job's log, said under its lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewLogLine {
    /// The job.
    pub job_id: Uuid,
    /// Proof of holding its lease.
    pub lease_token: LeaseToken,
    /// How much it matters.
    pub level: LogLevel,
    /// The line; the server cuts what is longer than 8 KiB.
    pub line: String,
}

/// What became of lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogWritten {
    /// How many were stored.
    pub stored: u64,
    /// How many of them were cut.
    pub cut: u64,
    /// Jobs whose leases are lost: none of their lines was stored.
    pub lost: Vec<Uuid>,
}
