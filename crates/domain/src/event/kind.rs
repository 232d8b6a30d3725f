//! The types of events.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

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
            pub(super) const fn status(self) -> Option<&'static str> {
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
    /// An impact run left images out, which are evaluated by later runs; the reason is how many.
    DebtLeft = "debt.left", "orch.runs", None;
    /// An impact run evaluated images that earlier runs had left out, and nothing is owed to them any more; the reason is
    /// how many.
    DebtPaid = "debt.paid", "orch.runs", None;
    /// An image is new, or its SBOM or its names are; the reason is its digest.
    ImageChanged = "image.changed", "orch.images", None;
    /// An image was taken out of the inventory; the reason is its digest.
    ImageRemoved = "image.removed", "orch.images", None;
    /// A webhook was paused, because its receiver is gone or keeps failing; the reason is its id.
    WebhookPaused = "webhook.paused", "orch.webhooks", Some("paused");
    /// The database's clock was set; the reason says by how many milliseconds, with a minus when back. It is told to the
    /// installation.
    ClockStepped = "clock.stepped", "orch.installation", None;
    /// Somebody wants to see whether deliveries arrive; the reason is the webhook's id. It is sent to
    /// that webhook and stands in no stream.
    WebhookTest = "webhook.test", "orch.webhooks", None;
}

impl EventType {
    /// Whether the reason names the thing that it is about: an image, or a webhook.
    pub(super) const fn is_about_its_reason(self) -> bool {
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
