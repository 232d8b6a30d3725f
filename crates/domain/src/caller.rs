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
    /// Claim, heartbeat, artifact, complete.
    Worker = "orch:worker",
    /// Tenants and keys.
    Admin = "orch:admin",
    /// Read images, advisories, findings, impact runs.
    SchedulerRead = "scheduler.runs.read",
    /// Bring in inventory and change streams.
    SchedulerWrite = "scheduler.runs.write",
    /// Ask what a change would hit.
    Simulate = "policy:simulate",
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
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
}

impl Caller {
    /// The system itself, acting for a tenant: background passes, never a request.
    pub fn system(tenant: TenantId) -> Self {
        Self {
            tenant,
            project: None,
            subject: "system".to_owned(),
            scopes: BTreeSet::new(),
        }
    }
}
