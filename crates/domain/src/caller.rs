//! Who acts, for which tenant, and what they may do.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::id::{ProjectId, TenantId};

/// Declares the permissions with their wire spellings.
macro_rules! scopes {
    ($($(#[$meta:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// A permission, as a token carries it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scope { $($(#[$meta])* $name),+ }

        impl Scope {
            /// Every scope.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The wire spelling.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

scopes! {
    /// Read jobs, runs, workers and streams.
    Read = "orch:read",
    /// Read payloads, results and artifacts.
    Payload = "orch:payload",
    /// Submit jobs and runs; bring in documents.
    Submit = "orch:submit",
    /// Cancel, retry, replay.
    Operate = "orch:operate",
    /// Change quotas, limits and lease settings; needs a reason and a ticket.
    Quota = "orch:quota",
    /// Replay ranges of the past; needs a reason and a ticket.
    Backfill = "orch:backfill",
    /// Create, change and delete schedules.
    Schedule = "orch:schedule",
    /// Claim, heartbeat, artifact, complete.
    Worker = "orch:worker",
    /// Manage webhooks.
    Webhook = "orch:webhook",
    /// Read and verify the audit trail.
    Audit = "orch:audit",
    /// Export the audit trail and bundles.
    Export = "orch:export",
    /// Import bundles; needs a reason and a ticket.
    Import = "orch:import",
    /// Tenants, projects and keys.
    Admin = "orch:admin",
    /// Read images, advisories, findings, impact runs.
    SchedulerRead = "scheduler.runs.read",
    /// Bring in inventory and change streams.
    SchedulerWrite = "scheduler.runs.write",
    /// Ask what a change would hit.
    Simulate = "policy:simulate",
}

impl Scope {
    /// Whether using it must be justified with a reason and a ticket.
    pub const fn needs_ticket(self) -> bool {
        matches!(self, Self::Quota | Self::Backfill | Self::Import)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A scope nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope")]
pub struct UnknownScope(pub String);

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL
            .iter()
            .copied()
            .find(|scope| scope.as_str() == text);
        known.ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// Who acts for which tenant. Made only from a verified token, or by the system for its own duties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Whose rows; every transaction is opened for it.
    pub tenant: TenantId,
    /// The project, where the token is bound to one.
    pub project: Option<ProjectId>,
    /// The principal, as the token names it.
    pub subject: String,
    /// How it proved who it is: `jwt:` and the token's fingerprint, `key:` and the key's id, or `system`.
    pub credential: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
}

impl Caller {
    /// The principal that the system itself is.
    pub const SYSTEM: &'static str = "system";

    /// Whether it may do this.
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// The system itself, acting for a tenant: background passes, never a request.
    pub fn system(tenant: TenantId) -> Self {
        Self {
            tenant,
            project: None,
            subject: Self::SYSTEM.to_owned(),
            credential: Self::SYSTEM.to_owned(),
            scopes: BTreeSet::new(),
        }
    }
}
