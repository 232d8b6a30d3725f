//! Events: what happened, as it is published. The envelope is `orch.event.v1`, the same over every
//! way out: list, stream and webhook.
//!
//! An envelope is a function of the event alone, never of when it is read: whoever gets it twice
//! gets the same, under the same id and idempotency key.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::digest::Digest;
use crate::id::{EventId, JobId, ProjectId, RunId, SessionId, TenantId};
use crate::time::Timestamp;

/// The version of the envelope, as it stands in every event.
pub const SCHEMA_VERSION: &str = "orch.event.v1";
/// Artifacts named in one event; further ones are found at the job.
pub const EVENT_ARTIFACTS_MAX: usize = 32;

/// Declares the types of events: wire spelling, channel, and what the thing's status is after it.
macro_rules! event_types {
    ($($(#[$meta:meta])* $name:ident = $text:literal, $channel:literal, $status:expr;)+) => {
        /// What kind of thing happened. A type is never renamed and never given another meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventType { $($(#[$meta])* $name),+ }

        impl EventType {
            /// Every type.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The wire and column spelling.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// What it is about: the channel under which receivers sort it.
            pub const fn channel(self) -> &'static str {
                match self { $(Self::$name => $channel),+ }
            }

            /// The status of the job or run right after it, where the type alone says it.
            const fn status(self) -> Option<&'static str> {
                match self { $(Self::$name => $status),+ }
            }
        }
    };
}

event_types! {
    /// A job was written to the ledger; the reason is `blocked` while it waits for parents.
    JobSubmitted = "job.submitted", "orch.jobs", Some("queued");
    /// A worker got it: an attempt begins.
    JobLeased = "job.leased", "orch.jobs", Some("leased");
    /// Its worker has begun the attempt.
    JobStarted = "job.started", "orch.jobs", Some("leased");
    /// It goes earlier or later than before; the reason is its new priority.
    JobPrioritized = "job.prioritized", "orch.jobs", None;
    /// It may start (again): a retry, a release, or its parents have ended.
    JobQueued = "job.queued", "orch.jobs", Some("queued");
    /// It ended well.
    JobSucceeded = "job.succeeded", "orch.jobs", Some("succeeded");
    /// It ended for want of attempts, or of a failure that is not retried.
    JobFailed = "job.failed", "orch.jobs", Some("failed");
    /// It was called off.
    JobCanceled = "job.canceled", "orch.jobs", Some("canceled");
    /// Its deadline passed.
    JobTimedOut = "job.timed_out", "orch.jobs", Some("timed_out");
    /// A parent ended as no edge allows.
    JobSkipped = "job.skipped", "orch.jobs", Some("skipped");
    /// A run was created; the reason is its trigger.
    RunCreated = "run.created", "orch.runs", Some("queued");
    /// The last job of a run ended; the reason is the run's state.
    RunFinished = "run.finished", "orch.runs", None;
    /// An impact run's findings stand, and its signed completion was written.
    RunCompleted = "run.completed", "orch.runs", Some("completed");
    /// An image is new, or its SBOM or its names are; the reason is its digest.
    ImageChanged = "image.changed", "orch.images", None;
    /// An image was taken out of the inventory; the reason is its digest.
    ImageRemoved = "image.removed", "orch.images", None;
    /// A webhook was paused, because its receiver is gone or keeps failing; the reason is its id.
    WebhookPaused = "webhook.paused", "orch.webhooks", Some("paused");
    /// Somebody wants to see whether deliveries arrive; the reason is the webhook's id. It is sent to
    /// that webhook and stands in no stream.
    WebhookTest = "webhook.test", "orch.webhooks", None;
}

impl EventType {
    /// Whether the reason names the thing that it is about: an image, or a webhook.
    const fn is_about_its_reason(self) -> bool {
        matches!(
            self,
            Self::ImageChanged | Self::ImageRemoved | Self::WebhookPaused | Self::WebhookTest
        )
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A type of event nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a type of event")]
pub struct UnknownEventType(pub String);

impl FromStr for EventType {
    type Err = UnknownEventType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.iter().copied();
        all.find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownEventType(text.to_owned()))
    }
}

/// One event, with what the ledger knows of the job or run it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: EventType,
    /// When, by the database's clock.
    pub occurred_at: Timestamp,
    /// Whose.
    pub tenant: TenantId,
    /// The project of the job or run.
    pub project: Option<ProjectId>,
    /// Follows the job or run through logs and events.
    pub correlation_id: Option<String>,
    /// Who caused it, with the scope that allowed it; `None` for the system itself.
    pub actor: Option<Actor>,
    /// The run it is about.
    pub run: Option<RunId>,
    /// The job it is about.
    pub job: Option<EventJob>,
    /// The attempt it is about, counted from 1.
    pub attempt: Option<u32>,
    /// The public name of the attempt's lease.
    pub lease: Option<Uuid>,
    /// The worker session that held it.
    pub session: Option<SessionId>,
    /// Why, in a word; for an image its digest.
    pub reason: Option<String>,
    /// What the attempt that ended had made, by name; at most [`EVENT_ARTIFACTS_MAX`].
    pub artifacts: Vec<EventArtifact>,
    /// How long the attempt or the run took.
    pub duration_ms: Option<u64>,
    /// How long the job is held back before its next attempt.
    pub backoff_ms: Option<u64>,
}

/// Who caused an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The principal, as its token names it.
    pub subject: String,
    /// The scope that allowed the act.
    pub scope: Option<String>,
}

/// The job of an event, as it was submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventJob {
    /// Its id.
    pub id: JobId,
    /// Its type.
    pub job_type: String,
    /// SHA-256 of its payload.
    pub payload_digest: Digest,
}

/// Something an attempt made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventArtifact {
    /// Its name within the job.
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Its media type.
    pub mime: String,
}

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
    /// The same for every delivery of this event, and for no other event:
    /// `orch-{eventType}-{jobId}-{attempt}-{ordinal}`.
    ///
    /// Without a job its run stands in its place, without that the digest of an image, the id of
    /// a webhook or else the tenant; without an attempt a `0`. The ordinal is the moment in microseconds: what happens to
    /// one job twice (two releases of one attempt) happens at two moments.
    pub fn idempotency_key(&self) -> String {
        let subject = match (&self.job, self.run, &self.reason, self.kind) {
            (Some(job), ..) => job.id.to_string(),
            (None, Some(run), ..) => run.to_string(),
            (None, None, Some(subject), kind) if kind.is_about_its_reason() => subject.clone(),
            (None, None, ..) => self.tenant.to_string(),
        };
        let attempt = self.attempt.unwrap_or(0);
        let ordinal = self.occurred_at.as_micros();
        format!("orch-{}-{subject}-{attempt}-{ordinal}", self.kind)
    }

    /// The status of the job or run right after the event.
    fn status(&self) -> Option<&str> {
        match (self.kind, self.reason.as_deref()) {
            (EventType::JobSubmitted, Some("blocked")) => Some("blocked"),
            (EventType::RunFinished, state) => state,
            (kind, _) => kind.status(),
        }
    }

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
mod tests;
