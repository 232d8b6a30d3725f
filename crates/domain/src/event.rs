//! Events: what happened, as it is published. The envelope is `orch.event.v1`, the same over every
//! way out: list, stream and webhook.
//!
//! An envelope is a function of the event alone, never of when it is read: whoever gets it twice
//! gets the same, under the same id and idempotency key.

mod envelope;
mod kind;

pub use envelope::{Delivery, Envelope, SCHEMA_VERSION, urn};
pub use kind::{EventType, UnknownEventType};

use uuid::Uuid;

use crate::digest::Digest;
use crate::id::{EventId, JobId, ProjectId, RunId, SessionId, TenantId};
use crate::time::Timestamp;

/// Artifacts named in one event; further ones are found at the job.
pub const EVENT_ARTIFACTS_MAX: usize = 32;

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
}

#[cfg(test)]
mod tests;
