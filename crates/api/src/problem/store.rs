//! What the wire is told of a failure of the store.

use std::error::Error;

use jobengine_store::StoreError;

use super::{Code, Problem};

impl From<&StoreError> for Problem {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(error = %chain(error), "the database is not available");
                Self::new(
                    Code::DatabaseUnavailable,
                    "the database is not available; nothing was lost, try again",
                )
            }
            StoreError::Conflict(_) => Self::new(
                Code::Overloaded,
                "other requests kept meeting this one; try again",
            ),
            StoreError::InProgress(_) => Self::new(
                Code::IdempotencyInProgress,
                "the same request is under way; repeat it with the same key to get its answer",
            ),
            StoreError::Stale(what) => {
                Self::new(Code::Conflict, format!("{what} changed meanwhile"))
            }
            StoreError::Expired(reason) => Self::new(
                Code::EventCursorExpired,
                format!("the cursor cannot be gone on from: {reason}"),
            ),
            StoreError::SourceClosed { name, paused: true } => Self::new(
                Code::SourcePaused,
                format!("the source {name} is paused; nothing is taken for it"),
            ),
            StoreError::SourceClosed { name, .. } => Self::new(
                Code::SourceDisabled,
                format!("the source {name} is disabled; nothing is taken for it"),
            ),
            StoreError::Missing("the tenant") => Self::new(
                Code::TenantUnknown,
                "the tenant of the token does not exist in this installation",
            ),
            StoreError::Missing(what) => {
                Self::new(Code::NotFound, format!("{what} does not exist"))
            }
            StoreError::Corrupt { .. }
            | StoreError::Refused(_)
            | StoreError::Migrate(_)
            | StoreError::Unfit(_) => {
                tracing::error!(error = %chain(error), "a request failed in the store");
                Self::new(Code::Internal, "the failure is in the log of the service")
            }
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

/// An error with its causes, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
