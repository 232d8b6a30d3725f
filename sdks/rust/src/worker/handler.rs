//! Handlers: the user's code for one type of job.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde_json::Value;

use super::context::Context;
use crate::client::chain;
use crate::error::Error;
use crate::wire::lease::Grant;
use crate::wire::report::FailureClass;

/// The user's code for one type of job. Async closures and functions of the same shape are handlers.
///
/// A handler may be called again for the same job after a crash or a lost lease: effects outside are
/// to be keyed by [`Grant::idempotency_key`]. It should stop soon after [`Context::cancellation`]
/// fires; one that blocks its thread can ask [`Context::is_lost`].
pub trait Handler: Send + Sync + 'static {
    /// Does the work of one attempt; what it returns is the job's result, at most 64 KiB of JSON.
    fn handle(
        &self,
        context: Context,
        grant: Grant,
    ) -> impl Future<Output = Result<Value, Failure>> + Send;
}

impl<F, Work> Handler for F
where
    F: Fn(Context, Grant) -> Work + Send + Sync + 'static,
    Work: Future<Output = Result<Value, Failure>> + Send,
{
    fn handle(
        &self,
        context: Context,
        grant: Grant,
    ) -> impl Future<Output = Result<Value, Failure>> + Send {
        self(context, grant)
    }
}

type Work<'h> = Pin<Box<dyn Future<Output = Result<Value, Failure>> + Send + 'h>>;

/// A handler of whatever type.
pub(super) trait AnyHandler: Send + Sync {
    fn work(&self, context: Context, grant: Grant) -> Work<'_>;
}

impl<H: Handler> AnyHandler for H {
    fn work(&self, context: Context, grant: Grant) -> Work<'_> {
        Box::pin(self.handle(context, grant))
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Failure {
    /// Decides whether, and when, the job is tried again.
    pub class: FailureClass,
    /// For people.
    pub detail: String,
    /// When trying again can help, as an upstream said.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure.
    pub fn new(class: FailureClass, detail: impl Into<String>) -> Self {
        Self {
            class,
            detail: detail.into(),
            retry_after: None,
        }
    }

    /// The same failure, with when trying again can help.
    #[must_use]
    pub fn retry_after(self, retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..self
        }
    }
}

/// A call to the server that failed, seen as the upstream of the work.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let class = match &error {
            Error::Unreachable(_)
            | Error::Interrupted(_)
            | Error::Silent
            | Error::LeaseLost { .. } => FailureClass::Network,
            Error::Token(_) => FailureClass::Auth,
            Error::File { .. }
            | Error::Write(_)
            | Error::Settings(_)
            | Error::Request(_)
            | Error::Heartbeat(_) => FailureClass::Internal,
            Error::Problem(_) | Error::Answer { .. } => match error.status() {
                Some(429) => FailureClass::Throttled,
                Some(408) => FailureClass::Timeout,
                Some(401 | 403) => FailureClass::Auth,
                Some(400..=499) => FailureClass::Internal,
                Some(200..=299) => FailureClass::Schema,
                _ => FailureClass::Upstream,
            },
        };
        Self {
            class,
            retry_after: error.retry_after(),
            detail: chain(&error),
        }
    }
}
