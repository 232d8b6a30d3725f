//! One attempt: the handler in a task of its own, watched until it ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::task::TaskTracker;

use super::context::Context;
use super::handler::{AnyHandler, Failure};
use super::held::{Held, HeldJobs};
use super::internal;
use super::outcome::{Done, report};
use super::report::Pending;
use super::tally::Counters;
use crate::client::Client;
use crate::wire::lease::Grant;
use crate::wire::report::Outcome;

/// What attempts need.
pub(super) struct Attempts {
    pub(super) client: Client,
    pub(super) handlers: BTreeMap<String, Arc<dyn AnyHandler>>,
    pub(super) held: Arc<HeldJobs>,
    pub(super) reports: mpsc::Sender<Pending>,
    pub(super) tally: Arc<Counters>,
    pub(super) cancel_grace: Duration,
    pub(super) tracker: TaskTracker,
}

impl Attempts {
    /// Gives a job back that was not begun.
    pub(super) async fn release(&self, held: Arc<Held>) {
        let report = report(&held, Outcome::Released);
        send(&self.reports, Pending { held, report }).await;
    }

    /// Runs the handler in a task; `slot` is free again when it has ended.
    pub(super) fn start(&self, grant: Grant, held: Arc<Held>, slot: OwnedSemaphorePermit) {
        let context = Context {
            client: self.client.clone(),
            attempt: grant.attempt,
            held: Arc::clone(&held),
        };
        let handler = self.handlers.get(&grant.job_type).cloned();
        let cancel_grace = self.cancel_grace;
        let (jobs, tally, reports) = (
            Arc::clone(&self.held),
            Arc::clone(&self.tally),
            self.reports.clone(),
        );
        self.tracker.spawn(async move {
            let mut work = tokio::spawn(async move {
                match handler {
                    Some(handler) => handler.work(context, grant).await,
                    None => Err(unasked(&grant.job_type)),
                }
            });
            let done = watch(&mut work, &held, cancel_grace).await;
            if held.is_lost() {
                jobs.remove(&held);
                tally.lost();
            } else {
                let report = done.report(&held);
                send(&reports, Pending { held, report }).await;
            }
            // A handler that blocks its thread cannot be cut off. It keeps its slot, but nobody
            // waits for it to end.
            tokio::spawn(async move {
                if !work.is_finished() {
                    let _ = work.await;
                }
                drop(slot);
            });
        });
    }
}

async fn send(reports: &mpsc::Sender<Pending>, pending: Pending) {
    let job = pending.held.job;
    if reports.send(pending).await.is_err() {
        tracing::error!(job.id = %job, "job {job} cannot be reported: the reporter has ended");
    }
}

/// Waits for the handler; once it is asked to stop, no longer than `cancel_grace`.
async fn watch(
    work: &mut JoinHandle<Result<serde_json::Value, Failure>>,
    held: &Held,
    cancel_grace: Duration,
) -> Done {
    let patience = async {
        held.cancel.cancelled().await;
        tokio::time::sleep(cancel_grace).await;
    };
    tokio::select! {
        biased;
        result = &mut *work => done(result),
        () = patience => {
            work.abort();
            Done::CutOff
        }
    }
}

fn done(result: Result<Result<serde_json::Value, Failure>, JoinError>) -> Done {
    match result {
        Ok(returned) => Done::Returned(returned),
        Err(error) if error.is_panic() => Done::Panicked,
        Err(_) => Done::CutOff,
    }
}

fn unasked(job_type: &str) -> Failure {
    internal(format!(
        "the server granted a job of type `{job_type}`, which was not asked for"
    ))
}
