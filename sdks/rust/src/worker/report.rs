//! Reports on their way: at once when the line is free, together when it is not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::SessionId;
use super::held::{Held, HeldJobs};
use super::internal;
use super::outcome::failed;
use super::tally::Counters;
use crate::client::{Client, chain};
use crate::error::Error;
use crate::retry::RetryPolicy;
use crate::wire::report::{Complete, Report, Reported};

/// Reports per request.
pub(super) const BATCH_MAX: usize = 500;

/// Bytes of results per request; one more result may go beyond.
const BATCH_BYTES: usize = 1024 * 1024;

/// One report that the server has not answered yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) held: Arc<Held>,
    pub(super) report: Report,
}

pub(super) struct Reporter {
    pub(super) client: Client,
    pub(super) session: SessionId,
    pub(super) held: Arc<HeldJobs>,
    pub(super) tally: Arc<Counters>,
    pub(super) window: Duration,
}

impl Reporter {
    /// Reports until the last sender is gone and everything was answered or given up.
    pub(super) async fn run(self, mut inbox: mpsc::Receiver<Pending>) {
        while let Some(first) = inbox.recv().await {
            let mut bytes = size(&first);
            let mut batch = vec![first];
            while batch.len() < BATCH_MAX
                && bytes < BATCH_BYTES
                && let Ok(next) = inbox.try_recv()
            {
                bytes += size(&next);
                batch.push(next);
            }
            self.deliver(batch).await;
        }
    }

    /// Sends a batch. When the server refuses it as a whole, each report goes alone, so that a bad
    /// one harms only itself.
    async fn deliver(&self, batch: Vec<Pending>) {
        let Err(error) = self.send(&batch).await else {
            return;
        };
        if batch.len() == 1 || error.passing(true) {
            return self.give_up(&batch, &error).await;
        }
        for pending in batch {
            let alone = [pending];
            if let Err(error) = self.send(&alone).await {
                self.give_up(&alone, &error).await;
            }
        }
    }

    /// Sends reports until they are answered, in the window. Whether an unanswered report counted is
    /// unknown, so it is sent again with the same token: the server gives its first answer. It is
    /// sent again even after the lease's end: the work was done while the lease was held, nothing
    /// more is done, and the server's fence decides.
    async fn send(&self, batch: &[Pending]) -> Result<(), Error> {
        let complete = Complete {
            session_id: self.session,
            reports: batch.iter().map(|pending| pending.report.clone()).collect(),
        };
        let policy = RetryPolicy {
            tries: u32::MAX,
            within: self.window,
            ..RetryPolicy::default()
        };
        let started = Instant::now();
        let mut tried = 0;
        loop {
            let error = match self.client.complete(&complete).await {
                Ok(answer) => {
                    self.settle(batch, &answer.results);
                    return Ok(());
                }
                Err(error) => error,
            };
            tried += 1;
            // A refused token may be renewed in its file meanwhile.
            let passing = error.passing(true) || error.status() == Some(401);
            let pause = policy.pause(tried, started.elapsed(), error.retry_after());
            let Some(pause) = pause.filter(|_| passing) else {
                return Err(error);
            };
            tracing::warn!(
                tried,
                "no answer to {} reports: {}",
                batch.len(),
                chain(&error)
            );
            tokio::time::sleep(pause).await;
        }
    }

    fn settle(&self, batch: &[Pending], results: &[Reported]) {
        for (at, pending) in batch.iter().enumerate() {
            let job = pending.report.job_id;
            match results.get(at).filter(|result| result.job_id == job) {
                Some(result) if result.accepted => {
                    self.held.remove(&pending.held);
                    self.tally.accepted(pending.report.outcome);
                    let state = result.state.as_deref().unwrap_or_default();
                    tracing::debug!(job.id = %job, state, "job {job} reported");
                }
                Some(Reported { problem, .. }) => {
                    let why = problem.as_ref().map(ToString::to_string);
                    self.refused(pending, why.as_deref().unwrap_or("no reason given"));
                }
                None => self.refused(pending, "the server did not answer it"),
            }
        }
    }

    /// What cannot be delivered is forgotten, except that a report the server cannot read becomes
    /// one it can.
    async fn give_up(&self, batch: &[Pending], error: &Error) {
        let why = chain(error);
        if let [pending] = batch
            && matches!(error.status(), Some(400 | 413 | 422))
        {
            let failure = internal(format!("the server refused the report: {why}"));
            let instead = [Pending {
                report: failed(&pending.held, &failure),
                held: Arc::clone(&pending.held),
            }];
            if self.send(&instead).await.is_ok() {
                return;
            }
        }
        for pending in batch {
            self.refused(pending, &why);
        }
    }

    fn refused(&self, pending: &Pending, why: &str) {
        let job = pending.report.job_id;
        tracing::warn!(job.id = %job, "the report on job {job} did not count: {why}");
        self.held.remove(&pending.held);
        self.tally.lost();
    }
}

fn size(pending: &Pending) -> usize {
    let result = pending.report.result.as_ref();
    result.map_or(0, |result| result.to_string().len())
}
