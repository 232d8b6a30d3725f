//! Events: what happened in the ledger, as `orch.event.v1` says it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// `orch.event.v1`.
    pub schema_version: String,
    /// Which event (`urn:orch:event:…`).
    pub event_id: String,
    /// What happened (`job.succeeded`).
    pub event_type: String,
    /// When.
    pub occurred_at: String,
    /// The same for every delivery of this event, and for no other event.
    pub idempotency_key: String,
    /// Follows the job or run through logs and events.
    pub correlation_id: String,
    /// Whose.
    pub tenant_id: Uuid,
    /// The project of the job or run.
    pub project_id: Option<Uuid>,
    /// Who caused it.
    pub actor: EventActor,
    /// The job it is about, or the run.
    pub job: EventJob,
    /// How long things took.
    pub metrics: EventMetrics,
    /// How it came.
    pub notifier: EventNotifier,
}

/// Who caused an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventActor {
    /// The principal; `system` for the service itself.
    pub subject: String,
    /// The scopes that allowed it.
    pub scopes: Vec<String>,
}

/// The job of an event; of events of a run only the run, its status and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventJob {
    /// The job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// Its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<Uuid>,
    /// The attempt, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The public name of the attempt's lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_id: Option<Uuid>,
    /// The worker session that held it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_runner_id: Option<Uuid>,
    /// The status right after the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Why, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// SHA-256 of the payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_digest: Option<String>,
    /// What the attempt that ended had made.
    pub artifacts: Vec<EventArtifact>,
}

/// Something an attempt made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventArtifact {
    /// Where it is read.
    pub uri: String,
    /// SHA-256 of its bytes.
    pub digest: String,
    /// Its media type.
    pub mime: String,
}

/// How long things took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventMetrics {
    /// The attempt, or the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<f64>,
    /// How far the job's log is behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_stream_lag_seconds: Option<f64>,
    /// How long the job is held back before its next attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff_seconds: Option<f64>,
}

/// How an event came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventNotifier {
    /// What it is about: `orch.jobs`, `orch.runs`, …
    pub channel: String,
    /// `list`, `stream` or `webhook`.
    pub delivery: String,
    /// Which try of how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<EventReplay>,
}

/// Which try of how many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventReplay {
    /// Counted from 1.
    pub ordinal: u32,
    /// Tries in all.
    pub total: u32,
}

/// Which events, and from where on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only of this run.
    pub run_id: Option<Uuid>,
    /// Only of this job.
    pub job_id: Option<Uuid>,
    /// Only of these types, separated by commas.
    pub types: Option<String>,
    /// Only of this project.
    pub project_id: Option<Uuid>,
    /// After this cursor.
    pub after: Option<String>,
    /// Without a cursor: with the oldest event that is kept, instead of what happens from now on.
    pub oldest: bool,
}
