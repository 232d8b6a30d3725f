//! Failure classes: a closed set that says whether trying again can help.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The upstream asked us to slow down (429).
    Throttled,
    /// The upstream failed (5xx).
    Upstream,
    /// The upstream could not be reached.
    Network,
    /// The attempt took too long.
    Timeout,
    /// Credentials were refused.
    Auth,
    /// A document does not have the expected shape.
    Schema,
    /// A document cannot be read.
    Parse,
    /// A rule forbids the work.
    Policy,
    /// The worker vanished.
    Crashed,
    /// The job made too many workers vanish.
    Poison,
    /// The user's code said so.
    User,
    /// A bug of ours.
    Internal,
}

impl FailureClass {
    /// Every class.
    pub const ALL: [Self; 12] = [
        Self::Throttled,
        Self::Upstream,
        Self::Network,
        Self::Timeout,
        Self::Auth,
        Self::Schema,
        Self::Parse,
        Self::Policy,
        Self::Crashed,
        Self::Poison,
        Self::User,
        Self::Internal,
    ];

    /// The wire and column spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Upstream => "upstream",
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::Auth => "auth",
            Self::Schema => "schema",
            Self::Parse => "parse",
            Self::Policy => "policy",
            Self::Crashed => "crashed",
            Self::Poison => "poison",
            Self::User => "user",
            Self::Internal => "internal",
        }
    }

    /// Whether the same work may succeed later without anybody changing anything.
    pub const fn retryable(self) -> bool {
        match self {
            Self::Throttled
            | Self::Upstream
            | Self::Network
            | Self::Timeout
            | Self::Crashed
            | Self::User
            | Self::Internal => true,
            Self::Auth | Self::Schema | Self::Parse | Self::Policy | Self::Poison => false,
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A class nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a failure class")]
pub struct UnknownClass(pub String);

impl FromStr for FailureClass {
    type Err = UnknownClass;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|class| class.as_str() == text)
            .ok_or_else(|| UnknownClass(text.to_owned()))
    }
}
