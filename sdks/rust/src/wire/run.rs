//! Runs: jobs started together by one cause.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::job::NewJob;

/// A run to start: jobs and which of them wait for which.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewRun {
    /// What started it; `manual` unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// Follows the run through logs and events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The upstream it works for, and its jobs unless they say otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The jobs, in any order.
    pub jobs: Vec<NewRunJob>,
}

/// One job of a run to start.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewRunJob {
    /// Its name within the run.
    pub key: String,
    /// The job.
    #[serde(flatten)]
    pub job: NewJob,
    /// What it waits for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<Parent>,
}

/// A job that another one waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Parent {
    /// The parent's name within the run.
    pub key: String,
    /// What the parent's end means; [`EdgePolicy::Require`] unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<EdgePolicy>,
}

/// What the end of a parent means for a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EdgePolicy {
    /// The child runs if the parent succeeds.
    Require,
    /// The child runs however the parent ends.
    Always,
    /// The child runs if the parent fails.
    OnFailure,
}

/// Which runs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Runs in one of these states (`running`, `queued,running`).
    pub state: Option<String>,
    /// Runs with this trigger (`manual`).
    pub trigger: Option<String>,
    /// Runs of this project.
    pub project_id: Option<Uuid>,
    /// Runs for this source.
    pub source: Option<String>,
    /// Runs created at this moment or later.
    pub created_from: Option<String>,
    /// Runs created before this moment.
    pub created_to: Option<String>,
}

/// Answer to a run's retry: a new run that does the rest of the old one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRetried {
    /// The new run.
    pub run_id: Uuid,
    /// The one whose rest it does.
    pub retry_of: Uuid,
    /// The jobs that are done again.
    pub jobs: Vec<JobRetried>,
}

/// A job that is done again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobRetried {
    /// Its name within both runs.
    pub key: String,
    /// The new job.
    pub job_id: Uuid,
    /// The one it repeats.
    pub replay_of: Uuid,
}

/// Answer to a run's start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunStarted {
    /// Which run.
    pub run_id: Uuid,
    /// Its jobs, by name.
    pub jobs: Vec<RunJob>,
}

/// A job of a run, by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunJob {
    /// Its name within the run.
    pub key: String,
    /// Which job.
    pub job_id: Uuid,
}

/// A run as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Which run.
    pub run_id: Uuid,
    /// What started it.
    pub trigger: String,
    /// `planning`, `queued`, `running`, `succeeded`, `partial`, `failed`, `canceled`, `no_work`.
    pub state: String,
    /// Follows the run through logs and events.
    pub correlation_id: String,
    /// Its jobs, counted.
    pub counts: RunCounts,
    /// The project it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<Uuid>,
    /// The upstream it works for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Attempts at all its jobs.
    pub attempts: u64,
    /// Attempts that ended with the worker's disappearance.
    pub leases_expired: u64,
    /// When it was created.
    pub created_at: String,
    /// When its first job started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When its last job ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
}

/// The jobs of a run, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunCounts {
    /// All of them.
    pub total: u64,
    /// Started at least once.
    pub started: u64,
    /// Ended well.
    pub succeeded: u64,
    /// Ended badly, those past their deadline included.
    pub failed: u64,
    /// Called off.
    pub canceled: u64,
    /// Not needed, or not possible, after how their parents ended.
    pub skipped: u64,
}

/// Answer to a cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Canceled {
    /// How many jobs were called off.
    pub canceled: u64,
}
