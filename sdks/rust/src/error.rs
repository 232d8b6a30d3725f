//! What can go wrong with a call.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A call that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server refused, and said why.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// The server could not be reached: nothing was sent.
    #[error("the server could not be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The call was sent and its answer never came: whether the server acted on it is unknown.
    #[error("the connection ended before the answer")]
    Interrupted(#[source] reqwest::Error),
    /// Nothing was heard for longer than a stream is ever quiet.
    #[error("the server says nothing any more")]
    Silent,
    /// The answer does not follow the contract; some other program may have answered.
    #[error("HTTP {status}, and the answer is not of the contract: {detail}")]
    Answer {
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        detail: String,
    },
    /// There is no usable token.
    #[error("no usable token: {0}")]
    Token(String),
    /// The client or worker was given settings that cannot work.
    #[error("{0}")]
    Settings(String),
    /// A value cannot be written as JSON.
    #[error("the request cannot be written as JSON")]
    Request(#[source] serde_json::Error),
    /// A file to send cannot be read.
    #[error("{path} cannot be read")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What an answer was to be written to does not take it.
    #[error("the answer cannot be written")]
    Write(#[source] std::io::Error),
    /// The thread that keeps leases alive could not start.
    #[error("the heartbeat thread could not start")]
    Heartbeat(#[source] std::io::Error),
    /// The lease on this job is lost, or held to be lost: nothing was sent.
    #[error("the lease on job {job} was lost")]
    LeaseLost {
        /// The job.
        job: Uuid,
    },
}

impl Error {
    /// The HTTP status, where the server answered.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem(problem) => Some(problem.status),
            Self::Answer { status, .. } => Some(*status),
            Self::Unreachable(_)
            | Self::Interrupted(_)
            | Self::Silent
            | Self::Token(_)
            | Self::Settings(_)
            | Self::Request(_)
            | Self::File { .. }
            | Self::Write(_)
            | Self::Heartbeat(_)
            | Self::LeaseLost { .. } => None,
        }
    }

    /// The problem's code (`LEASE_LOST`), where the server gave one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => Some(&problem.code),
            _ => None,
        }
    }

    /// How long the server asked to wait, where it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Problem(problem) => problem.retry_after,
            _ => None,
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    ///
    /// `harmless` says that the server acting twice on it does no harm. Where it would, only a call
    /// that the server certainly did not act on may be repeated.
    pub(crate) fn passing(&self, harmless: bool) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Interrupted(_) | Self::Silent => harmless,
            Self::Problem(_) | Self::Answer { .. } => match self.status() {
                Some(429) => true,
                Some(408 | 500..=599) => harmless,
                _ => false,
            },
            Self::Token(_)
            | Self::Settings(_)
            | Self::Request(_)
            | Self::File { .. }
            | Self::Write(_)
            | Self::Heartbeat(_)
            | Self::LeaseLost { .. } => false,
        }
    }
}

/// A refusal (RFC 9457, `application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The page that explains it (`/problems/lease-lost`).
    #[serde(rename = "type", default)]
    pub page: String,
    /// The code's meaning in a few words.
    #[serde(default)]
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Stable: what a program decides by (`LEASE_LOST`).
    pub code: String,
    /// What happened this time.
    #[serde(default)]
    pub detail: String,
    /// Finds the request in the server's logs.
    #[serde(default)]
    pub trace_id: String,
    /// Follows the work through logs and events.
    #[serde(default)]
    pub correlation_id: String,
    /// What is wrong with which field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// From the `Retry-After` header.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

/// What is wrong with one field of a request or one place of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldProblem {
    /// The field, or the place.
    #[serde(default)]
    pub field: String,
    /// Stable.
    #[serde(default)]
    pub code: String,
    /// What is wrong.
    #[serde(default)]
    pub detail: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = if self.detail.is_empty() {
            &self.title
        } else {
            &self.detail
        };
        write!(f, "{}: {text}", self.code)?;
        // The first of them is often what the problem is about, and stands there already.
        let said =
            |error: &&FieldProblem| text.contains(&error.detail) && text.contains(&error.field);
        for error in self.errors.iter().filter(|error| !said(error)) {
            write!(f, "; {}: {}", error.field, error.detail)?;
        }
        Ok(())
    }
}
