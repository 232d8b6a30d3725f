//! The worker: claims jobs, runs handlers, keeps leases alive, reports.
//!
//! A lease is only advice about who should work; the server's fence decides whose report counts. The
//! worker's part is to stop early: as soon as the server says that a lease is lost, or cannot be
//! asked for so long that it may be, the handler is cancelled and nothing of it is sent.

mod attempt;
mod builder;
mod claim;
mod context;
mod handler;
mod heartbeat;
mod held;
mod outcome;
mod report;
mod tally;
mod term;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

pub use builder::WorkerBuilder;
pub use context::Context;
pub use handler::{Failure, Handler};
pub use tally::Tally;

use crate::client::Client;
use crate::error::Error;
use crate::retry::RetryPolicy;
use crate::wire::report::FailureClass;
use attempt::Attempts;
use claim::Claims;
use handler::AnyHandler;
use heartbeat::Heart;
use held::{HeldJobs, Stop};
use report::Reporter;
use tally::Counters;

/// Runs handlers for jobs. Made by [`Worker::builder`].
pub struct Worker {
    client: Client,
    settings: Settings,
    handlers: BTreeMap<String, Arc<dyn AnyHandler>>,
}

/// How a worker behaves.
#[derive(Debug, Clone)]
struct Settings {
    name: String,
    concurrency: u32,
    grace: Duration,
    cancel_grace: Duration,
    report_window: Duration,
}

impl Worker {
    /// Begins a worker.
    pub fn builder(client: Client) -> WorkerBuilder {
        WorkerBuilder::new(client)
    }

    /// Works until `shutdown` fires or the server says to drain. Then it claims no more, gives the
    /// running handlers their grace, cancels the rest and gives their jobs back.
    ///
    /// # Errors
    /// [`Error::Heartbeat`] at the start, and what the server goes on refusing claims with (a bad
    /// token, an unknown type); running jobs are brought to their end in this case too. While the
    /// server cannot be reached, the worker waits for it.
    pub async fn run(&self, shutdown: CancellationToken) -> Result<Tally, Error> {
        let session = crate::draw::id();
        let drain = shutdown.child_token();
        let held = Arc::new(HeldJobs::default());
        let abandon = Abandon {
            held: Arc::clone(&held),
            drain: drain.clone(),
        };
        let tally = Arc::new(Counters::default());
        let heart = Heart::start(&self.client, session, Arc::clone(&held), drain.clone())?;

        let client = self.client.with_retry(RetryPolicy::never());
        let (reports, inbox) = mpsc::channel(report::BATCH_MAX);
        let reporter = tokio::spawn(
            Reporter {
                client: client.clone(),
                session,
                held: Arc::clone(&held),
                tally: Arc::clone(&tally),
                window: self.settings.report_window,
            }
            .run(inbox),
        );
        let tracker = TaskTracker::new();
        let attempts = Attempts {
            client: self.client.clone(),
            handlers: self.handlers.clone(),
            held: Arc::clone(&held),
            reports,
            tally: Arc::clone(&tally),
            cancel_grace: self.settings.cancel_grace,
            tracker: tracker.clone(),
        };
        let claims = Claims {
            client,
            session,
            worker: self.settings.name.clone(),
            types: self.handlers.keys().cloned().collect(),
            slots: Arc::new(Semaphore::new(self.settings.concurrency as usize)),
            concurrency: self.settings.concurrency,
            attempts,
            drain,
        };
        tracing::info!(worker = %self.settings.name, session.id = %session, "worker {} started", self.settings.name);
        // Drops its sender of reports when it ends, so that the reporter ends after the last attempt.
        let result = claims.run().await;

        self.finish(&tracker, &held).await;
        if reporter.await.is_err() {
            tracing::error!("the reporter panicked; jobs without a report are granted again later");
        }
        heart.stop();
        drop(abandon);
        let tally = tally.read();
        tracing::info!(worker = %self.settings.name, session.id = %session, "worker {} stopped: {tally}", self.settings.name);
        result.map(|()| tally)
    }

    /// Waits for the running attempts, first patiently, then less so.
    async fn finish(&self, tracker: &TaskTracker, held: &HeldJobs) {
        tracker.close();
        if tokio::time::timeout(self.settings.grace, tracker.wait())
            .await
            .is_ok()
        {
            return;
        }
        held.stop_all(Stop::Release);
        // Each attempt ends by itself once its handler had the time to stop.
        tracker.wait().await;
    }
}

/// Asks the handlers to stop when [`Worker::run`] is dropped in the middle; their jobs are given back.
struct Abandon {
    held: Arc<HeldJobs>,
    drain: CancellationToken,
}

impl Drop for Abandon {
    fn drop(&mut self) {
        self.drain.cancel();
        self.held.stop_all(Stop::Release);
    }
}

/// One line of text for people, within the contract's bound for details.
fn line(text: &str) -> String {
    const MOST: usize = 8 * 1024;
    let mut text = text.replace('\0', "\u{fffd}");
    if text.len() > MOST {
        let end = (0..=MOST - '…'.len_utf8())
            .rev()
            .find(|end| text.is_char_boundary(*end))
            .unwrap_or_default();
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A failure that is the worker's own.
fn internal(detail: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Internal, detail)
}

/// Which worker process.
type SessionId = Uuid;

#[cfg(test)]
mod tests {
    #[test]
    fn lines_keep_within_their_bound() {
        assert_eq!(super::line("a\0b"), "a\u{fffd}b");
        let long = super::line(&"é".repeat(5_000));
        assert!(
            long.len() <= 8 * 1024 && long.ends_with("é…"),
            "{}",
            long.len()
        );
    }
}
