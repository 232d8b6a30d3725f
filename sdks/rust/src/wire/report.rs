//! Reports: how an attempt ended.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::lease::LeaseToken;
use crate::error::Problem;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The work is done.
    Succeeded,
    /// It failed; the class says whether trying again can help.
    Failed,
    /// It was called off.
    Canceled,
    /// The worker gives it back undone.
    Released,
}

/// Why an attempt failed, as far as a worker can say: a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The upstream asked us to slow down (429).
    Throttled,
    /// The upstream failed (5xx).
    Upstream,
    /// The upstream could not be reached.
    Network,
    /// The attempt took too long.
    Timeout,
    /// Credentials were refused. Not tried again.
    Auth,
    /// A document does not have the expected shape. Not tried again.
    Schema,
    /// A document cannot be read. Not tried again.
    Parse,
    /// A rule forbids the work. Not tried again.
    Policy,
    /// The work itself failed.
    User,
    /// A bug of the worker.
    Internal,
}

/// Reports some attempts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Complete {
    /// The worker process.
    pub session_id: Uuid,
    /// One for each attempt, at most 500.
    pub reports: Vec<Report>,
}

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The job.
    pub job_id: Uuid,
    /// Proof of holding its lease.
    pub lease_token: LeaseToken,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// When trying again can help, as the upstream said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Why it failed, for people; at most 8 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What came of it, at most 64 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
}

/// Answer to reports: one for each, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Completed {
    /// What became of them.
    pub results: Vec<Reported>,
}

/// What became of one report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reported {
    /// The job.
    pub job_id: Uuid,
    /// Whether it counted.
    pub accepted: bool,
    /// The job's state after it, where it counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Why it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}
