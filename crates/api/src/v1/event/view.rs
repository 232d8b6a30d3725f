//! The envelope in the contract. It is written by the domain, which every way out shares; what stands here is its
//! description, and a test holds the two together.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Something that happened: `orch.event.v1`
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Event)]
pub(super) struct EventView {
    /// The version of this envelope.
    #[schema(example = "orch.event.v1")]
    schema_version: String,
    /// Its id, as a URN.
    #[schema(example = "urn:orch:event:0190f1de-0000-7000-8000-000000000001")]
    event_id: String,
    /// What kind of thing happened.
    #[schema(example = "job.succeeded")]
    event_type: String,
    /// When, by the database's clock.
    #[schema(format = DateTime)]
    occurred_at: String,
    /// The same for every delivery of this event and for no other event: `orch-{eventType}-{jobId}-{attempt}-{ordinal}`.
    /// Without a job its run stands in its place, without that an image's digest or the tenant; without an attempt a 0.
    idempotency_key: String,
    /// Follows the job or run through logs and events; of anything else the event's own id.
    correlation_id: String,
    /// Whose.
    tenant_id: Uuid,
    /// The project of the job or run.
    project_id: Option<Uuid>,
    /// Who caused it.
    actor: ActorView,
    /// The job it is about, or the run.
    job: EventJobView,
    /// How long things took.
    metrics: EventMetricsView,
    /// How it reached you.
    notifier: NotifierView,
}

/// Who caused an event
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventActor)]
struct ActorView {
    /// The principal; `system` for the service itself.
    subject: String,
    /// The scopes that allowed it.
    scopes: Vec<String>,
}

/// The job of an event; of events of a run only `runId`, `status` and `reason`
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EventJob)]
struct EventJobView {
    /// The job.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    /// Its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    /// Its run.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<Uuid>,
    /// The attempt, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    /// The public name of the attempt's lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_id: Option<Uuid>,
    /// The worker session that held it.
    #[serde(skip_serializing_if = "Option::is_none")]
    task_runner_id: Option<Uuid>,
    /// The status right after the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// Why, in a word; for an image its digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// SHA-256 of the payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_digest: Option<String>,
    /// What the attempt that ended had made; at most 32.
    artifacts: Vec<EventArtifactView>,
}

/// Something an attempt made
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventArtifact)]
struct EventArtifactView {
    /// Where it is read.
    uri: String,
    /// SHA-256 of its bytes.
    digest: String,
    /// Its media type.
    mime: String,
}

/// How long things took
#[expect(
    clippy::struct_field_names,
    reason = "the published names say the unit"
)]
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EventMetrics)]
struct EventMetricsView {
    /// From the grant of the attempt to its end, or of the run's first attempt to the run's end.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_seconds: Option<f64>,
    /// How far the job's log is behind, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    log_stream_lag_seconds: Option<f64>,
    /// How long the job is held back before its next attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    backoff_seconds: Option<f64>,
}

/// How an event reached you
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventNotifier)]
struct NotifierView {
    /// What it is about: `orch.jobs`, `orch.runs`, `orch.images`, …
    #[schema(example = "orch.jobs")]
    channel: String,
    /// The way it took: `list`, `stream` or `webhook`.
    #[schema(example = "stream")]
    delivery: String,
    /// Which try of how many, where deliveries are tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<ReplayView>,
}

/// Which try of how many
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventReplay)]
struct ReplayView {
    /// Counted from 1.
    ordinal: u32,
    /// Tries in all.
    total: u32,
}

#[cfg(test)]
mod tests;
