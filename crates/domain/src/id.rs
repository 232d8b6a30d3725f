//! Ids: a type for each thing that has one. All are `UUIDv7`, drawn at the edge, never here.

use uuid::Uuid;

use crate::time::Timestamp;

/// Declares id types over [`Uuid`].
macro_rules! id {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

id! {
    /// Owner of rows; nothing crosses it.
    TenantId,
    /// A division inside a tenant.
    ProjectId,
    /// One unit of work in the ledger.
    JobId,
    /// Jobs started together by one cause.
    RunId,
    /// One worker process, from its first claim to its last heartbeat.
    SessionId,
    /// One published fact.
    EventId,
    /// An upstream that documents come from.
    SourceId,
    /// One message waiting to leave.
    OutboxId,
    /// One action on many things.
    BulkId,
    /// An address outside that is told of events.
    WebhookId,
    /// One event on its way to one webhook.
    DeliveryId,
    /// One row of the audit trail.
    AuditId,
    /// One service API key.
    ApiKeyId,
    /// One taking back of credentials.
    RevocationId,
}

impl JobId {
    /// When the job was submitted, to the millisecond: its id was drawn then. `None` for an id that is
    /// not a `UUIDv7`.
    pub fn submitted_at(self) -> Option<Timestamp> {
        let (seconds, nanos) = self.0.get_timestamp()?.to_unix();
        let micros = i64::try_from(seconds).ok()?.checked_mul(1_000_000)?;
        Some(Timestamp::from_micros(
            micros.saturating_add(i64::from(nanos / 1_000)),
        ))
    }
}

impl TenantId {
    /// The installation's own tenant: every installation has it, and only its administrators see the others.
    pub const INSTALLATION: Self = Self(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0000));
}
