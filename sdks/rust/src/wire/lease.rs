//! Leases: claims, grants and heartbeats.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Proof of holding a lease. Secret: it never shows in a log line.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LeaseToken(String);

impl LeaseToken {
    /// From the text a grant holds.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the server and for nobody else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for LeaseToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LeaseToken(…)")
    }
}

/// Asks for jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// The worker process; drawn by itself.
    pub session_id: Uuid,
    /// The worker's name, for people.
    pub worker: String,
    /// Types of jobs it can do.
    pub types: Vec<String>,
    /// Most jobs, 1 to 100.
    pub max: u32,
    /// How long the server may wait for a job, 0 to 30,000 ms.
    pub wait_ms: u64,
    /// How many jobs the worker does at once, busy or not: for those who watch. It limits nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
}

/// Answer to a claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claimed {
    /// The jobs handed out; empty when there was none.
    pub grants: Vec<Grant>,
    /// How long the session's leases last without a heartbeat.
    pub lease_duration_ms: u64,
    /// How often to send one.
    pub heartbeat_ms: u64,
}

/// One attempt at one job, handed to a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// Which job.
    pub job_id: Uuid,
    /// Its run, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<Uuid>,
    /// Its name within its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What kind of work.
    #[serde(rename = "type")]
    pub job_type: String,
    /// Names the lease; not secret.
    pub lease_id: Uuid,
    /// Proof of holding it.
    pub lease_token: LeaseToken,
    /// Rises with every grant of the job.
    pub fence: i64,
    /// Until when the lease lasts without a heartbeat, by the server's clock. For people: a worker
    /// goes by `lease_duration_ms` and its own steady clock.
    pub lease_until: String,
    /// How long the lease lasts without a heartbeat.
    pub lease_duration_ms: u64,
    /// How often to send one.
    pub heartbeat_ms: u64,
    /// Counted from 1.
    pub attempt: u32,
    /// Attempts in all.
    pub max_attempts: u32,
    /// The same in every attempt at the job: what effects outside are keyed by.
    pub idempotency_key: String,
    /// What to do.
    pub payload: Value,
    /// Digest of the payload.
    pub payload_digest: String,
    /// The job's owner.
    #[serde(default)]
    pub tenant: String,
    /// The project it is done for, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<Uuid>,
    /// The source it works for, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What it was tagged with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Follows the job through logs and events.
    pub correlation_id: String,
    /// Where the attempt stands in its trace (W3C Trace Context), when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// Keeps leases alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Heartbeat {
    /// The worker process.
    pub session_id: Uuid,
    /// Every lease it holds; one that is not named ends.
    pub leases: Vec<HeldLease>,
    /// How far the jobs are, where that changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub progress: Vec<Progress>,
}

/// A lease that a worker holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldLease {
    /// The job.
    pub job_id: Uuid,
    /// Proof of holding it.
    pub lease_token: LeaseToken,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The job.
    pub job_id: Uuid,
    /// 0 to 1000.
    pub permille: u16,
    /// In a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Answer to a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatAnswer {
    /// How long the session's leases last from now.
    pub lease_duration_ms: u64,
    /// When to send the next one.
    pub heartbeat_ms: u64,
    /// One for each lease that was named.
    pub directives: Vec<JobDirective>,
}

/// What to do with one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobDirective {
    /// The job.
    pub job_id: Uuid,
    /// What to do.
    pub directive: Directive,
}

/// What a worker is told about a job it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Directive {
    /// Go on.
    Continue,
    /// Stop the job and report it canceled.
    Cancel,
    /// Finish what you hold and claim nothing more.
    Drain,
    /// Stop: somebody else may hold the job by now; nothing you report counts.
    LeaseLost,
    /// A word of a newer server: the lease is held.
    #[serde(other)]
    Unknown,
}

/// A stored artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// Digest of its bytes.
    pub digest: String,
    /// How many.
    pub bytes: u64,
}
