//! What the wire is told of a failure of the store.

use std::error::Error;
use std::time::Instant;

use jobengine_store::StoreError;

use super::{Code, Problem};
use crate::line::{Line, Lines};

/// Requests that are logged within a minute, of those that found the database away.
static AWAY: Lines = Lines::new(10);
/// The same of those that found it busy.
static BUSY: Lines = Lines::new(10);

impl From<&StoreError> for Problem {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                warn(&AWAY, error);
                Self::new(
                    Code::DatabaseUnavailable,
                    "the database cannot be reached; nothing was lost, try again",
                )
            }
            StoreError::Busy(_) => {
                warn(&BUSY, error);
                Self::new(
                    Code::Overloaded,
                    "the database has too much to do: all connections to it are in use, or it ran out of time; try again",
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
            // It was there when the token was looked at.
            StoreError::Missing("the tenant") => {
                Self::new(Code::Unauthenticated, "send a valid bearer token")
            }
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

/// Says what a request met, unless enough others have said it: when PostgreSQL goes away and when it comes
/// back is told by the store, once each.
fn warn(lines: &Lines, error: &StoreError) {
    let omitted = match lines.next(Instant::now()) {
        Line::Omit => return,
        Line::Write => None,
        Line::WriteAfter(omitted) => Some(omitted),
    };
    tracing::warn!(error = %chain(error), omitted, "a request was refused: {error}");
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
