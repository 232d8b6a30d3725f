//! An event as it is published: its envelope, `orch.event.v1`.

use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::{Event, EventArtifact, EventType};
use crate::digest::Digest;
use crate::id::{EventId, JobId, ProjectId, RunId, SessionId, TenantId};
use crate::time::Timestamp;

/// The version of the envelope, as it stands in every event.
pub const SCHEMA_VERSION: &str = "orch.event.v1";

/// The way an event reaches its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Asked for, page by page.
    List,
    /// Pushed over a stream: server-sent events or a WebSocket.
    Stream,
    /// Sent to a webhook: which part of how many. A delivery carries one event, and its bytes are
    /// the same at every try.
    Webhook {
        /// Counted from 1.
        ordinal: u32,
        /// Parts in all.
        total: u32,
    },
}

impl Event {
    /// The event as it is published.
    pub fn envelope(&self, delivery: Delivery) -> Envelope<'_> {
        let actor = self.actor.as_ref();
        let (way, replay) = match delivery {
            Delivery::List => ("list", None),
            Delivery::Stream => ("stream", None),
            Delivery::Webhook { ordinal, total } => ("webhook", Some(Replay { ordinal, total })),
        };
        Envelope {
            schema_version: SCHEMA_VERSION,
            event_id: urn(self.id),
            event_type: self.kind,
            occurred_at: self.occurred_at,
            idempotency_key: self.idempotency_key(),
            correlation_id: match &self.correlation_id {
                Some(id) => id.clone(),
                None => self.id.to_string(),
            },
            tenant_id: self.tenant,
            project_id: self.project,
            actor: ActorView {
                subject: actor.map_or("system", |actor| actor.subject.as_str()),
                scopes: actor
                    .and_then(|actor| actor.scope.as_deref())
                    .into_iter()
                    .collect(),
            },
            job: JobView {
                id: self.job.as_ref().map(|job| job.id),
                r#type: self.job.as_ref().map(|job| job.job_type.as_str()),
                run_id: self.run,
                attempt: self.attempt,
                lease_id: self.lease,
                task_runner_id: self.session,
                status: self.status(),
                reason: self.reason.as_deref(),
                payload_digest: self.job.as_ref().map(|job| job.payload_digest),
                artifacts: self
                    .artifacts
                    .iter()
                    .map(|artifact| self.artifact(artifact))
                    .collect(),
            },
            metrics: MetricsView {
                duration_seconds: self.duration_ms.map(Seconds),
                log_stream_lag_seconds: None,
                backoff_seconds: self.backoff_ms.map(Seconds),
            },
            notifier: NotifierView {
                channel: self.kind.channel(),
                delivery: way,
                replay,
            },
        }
    }

    fn artifact<'a>(&'a self, artifact: &'a EventArtifact) -> ArtifactView<'a> {
        let job = self.job.as_ref().map_or(Uuid::nil(), |job| job.id.0);
        ArtifactView {
            uri: format!(
                "/api/v1/orchestrator/jobs/{job}/artifacts/{}",
                artifact.name
            ),
            digest: artifact.digest,
            mime: &artifact.mime,
        }
    }
}

/// The id of an event as a URN.
pub fn urn(id: EventId) -> String {
    format!("urn:orch:event:{id}")
}

/// An event as it is published: `orch.event.v1`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope<'a> {
    schema_version: &'static str,
    event_id: String,
    event_type: EventType,
    occurred_at: Timestamp,
    idempotency_key: String,
    /// The event's own id where nothing else is followed.
    correlation_id: String,
    tenant_id: TenantId,
    project_id: Option<ProjectId>,
    actor: ActorView<'a>,
    job: JobView<'a>,
    metrics: MetricsView,
    notifier: NotifierView,
}

#[derive(Debug, Clone, Serialize)]
struct ActorView<'a> {
    subject: &'a str,
    scopes: Vec<&'a str>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct JobView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<JobId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_runner_id: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_digest: Option<Digest>,
    artifacts: Vec<ArtifactView<'a>>,
}

#[derive(Debug, Clone, Serialize)]
struct ArtifactView<'a> {
    uri: String,
    digest: Digest,
    mime: &'a str,
}

#[expect(
    clippy::struct_field_names,
    reason = "the published names say the unit"
)]
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct MetricsView {
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_seconds: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_stream_lag_seconds: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backoff_seconds: Option<Seconds>,
}

#[derive(Debug, Clone, Serialize)]
struct NotifierView {
    channel: &'static str,
    delivery: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<Replay>,
}

#[derive(Debug, Clone, Serialize)]
struct Replay {
    ordinal: u32,
    total: u32,
}

/// Milliseconds, published as seconds with at most three decimals.
#[derive(Debug, Clone, Copy)]
struct Seconds(u64);

impl Serialize for Seconds {
    /// The number is read from its decimal text, so that its shortest form is that text again: no
    /// arithmetic rounds it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (whole, thousandths) = (self.0 / 1_000, self.0 % 1_000);
        if thousandths == 0 {
            return serializer.serialize_u64(whole);
        }
        let decimal: f64 = format!("{whole}.{thousandths:03}")
            .parse()
            .map_err(serde::ser::Error::custom)?;
        serializer.serialize_f64(decimal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_written_as_they_are_counted() {
        for (ms, text) in [(0, "0"), (1, "0.001"), (1_250, "1.25"), (60_000, "60")] {
            assert_eq!(serde_json::to_string(&Seconds(ms)).unwrap(), text);
        }
    }
}
