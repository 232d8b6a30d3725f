//! Jobs: one unit of work each.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::error::Problem;

/// How urgent a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// After all others.
    Low,
    /// The default.
    Normal,
    /// Before most.
    High,
    /// Before all.
    Emergency,
}

/// A job to submit.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewJob {
    /// What kind of work; workers claim by it.
    #[serde(rename = "type")]
    pub job_type: String,
    /// Any JSON, at most 128 KiB of it.
    pub payload: Value,
    /// How urgent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Attempts in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// Attempts that may end with the worker's disappearance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_crash_attempts: Option<u32>,
    /// Not before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// Worthless after this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// Follows the job through logs and events; the server makes one up otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The project it belongs to; that of the token unless said otherwise. A job of a run belongs to its run's and says
    /// none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<Uuid>,
    /// The name of the upstream it works for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Words to find it by, at most 16 of 1 to 64 characters without commas.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl NewJob {
    /// A job with the server's defaults.
    pub fn new(job_type: impl Into<String>, payload: Value) -> Self {
        Self {
            job_type: job_type.into(),
            payload,
            priority: None,
            max_attempts: None,
            max_crash_attempts: None,
            not_before: None,
            deadline: None,
            correlation_id: None,
            project_id: None,
            source: None,
            tags: Vec::new(),
        }
    }
}

/// Answer to a submission: the ids, in the order of the jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Submitted {
    /// One for each job.
    pub job_ids: Vec<Uuid>,
}

/// Which jobs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Jobs of this run.
    pub run_id: Option<Uuid>,
    /// Jobs in one of these states (`queued`, `leased,queued`).
    pub state: Option<String>,
    /// Jobs of this type.
    pub job_type: Option<String>,
    /// Jobs for this source.
    pub source: Option<String>,
    /// Jobs with this tag.
    pub tag: Option<String>,
    /// Jobs of this project.
    pub project_id: Option<Uuid>,
    /// Jobs with this correlation id.
    pub correlation_id: Option<String>,
    /// Jobs submitted at this moment or later.
    pub submitted_from: Option<String>,
    /// Jobs submitted before this moment.
    pub submitted_to: Option<String>,
    /// The beginning of a job's id, or a part of its key, type or correlation id.
    pub text: Option<String>,
    /// Newest first, instead of oldest first.
    pub newest_first: bool,
}

/// What became of a line of a stream of jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubmittedLine {
    /// Which, counted from 1.
    pub line: u64,
    /// Its job, when it is in the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<Uuid>,
    /// Why it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// Answer to what moves a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    /// The job.
    pub job_id: Uuid,
    /// Its state now.
    pub state: String,
}

/// Answer to a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replayed {
    /// The new job.
    pub job_id: Uuid,
    /// The one it repeats.
    pub replay_of: Uuid,
}

/// A job as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
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
    /// How urgent (`normal`).
    pub priority: String,
    /// `blocked`, `queued`, `leased`, `succeeded`, `failed`, `canceled`, `timed_out`, `skipped`.
    pub state: String,
    /// Attempts so far.
    pub attempts: u32,
    /// Attempts in all.
    pub max_attempts: u32,
    /// When it may start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<String>,
    /// When it was submitted.
    pub created_at: String,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Why it failed, in one word of a closed set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Why it failed, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Digest of the payload.
    pub payload_digest: String,
    /// Follows the job through logs and events.
    pub correlation_id: String,
    /// The project it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<Uuid>,
    /// The upstream it works for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The ended job that it repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<Uuid>,
    /// What its worker tells of the attempt under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under_way: Option<UnderWay>,
    /// Only for callers who may see payloads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
    /// What the worker reported; only for callers who may see payloads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// All attempts, in order; only when one job is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempt_history: Vec<Attempt>,
}

/// What a worker tells of the attempt that it makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnderWay {
    /// Counted from 1.
    pub attempt: u32,
    /// The worker's session.
    pub session_id: Uuid,
    /// When it said that it has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// How far it is, in thousandths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permille: Option<u16>,
    /// The same in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_at: Option<String>,
}

/// One try at a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Counted from 1.
    pub attempt: u32,
    /// Whose report counted.
    pub fence: i64,
    /// When it was handed to a worker.
    pub granted_at: String,
    /// When its worker said that it has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// How it ended (`succeeded`, `failed`, `expired`, `released`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Why it failed, in one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Why it failed, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
