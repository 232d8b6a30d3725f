//! Folds what many clients ask at the same moment into few transactions.
//!
//! Each tenant has a lane. A request that finds its lane idle is flushed at once, alone. Requests
//! that come while a flush is under way wait for each other: they are flushed together when a place
//! is free, at the latest 2 ms later if a second place is, and sooner when the batch is full. A
//! caller that goes away does not stop its flush: what was begun is finished.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jobengine_domain::id::TenantId;
use tokio::sync::{Notify, oneshot};

use crate::metrics::Metrics;
use crate::problem::{Code, Problem};

/// Requests wait for company at most this long while a place for a flush is free.
const COMPANY: Duration = Duration::from_millis(2);

/// Requests in one transaction, however small: each may lock its key, and the database's room for locks is
/// everybody's.
const REQUESTS_MAX: usize = 1_000;

/// One kind of work that is done in batches.
pub(crate) trait Flush: Send + Sync + 'static {
    /// What one client asks for.
    type Request: Send + 'static;
    /// What it is answered.
    type Answer: Send + 'static;

    /// The kind's name in metrics.
    const KIND: &'static str;
    /// Items in one transaction.
    const ITEMS_MAX: usize;
    /// Items that may wait in one lane; more are refused.
    const WAITING_MAX: usize;
    /// Bytes that may wait in one lane; more are refused.
    const WAITING_MAX_BYTES: usize = 64 * 1024 * 1024;
    /// Flushes of one tenant that may be under way at once.
    const PLACES: usize;

    /// How many items a request holds, at most [`Flush::ITEMS_MAX`].
    fn items(request: &Self::Request) -> usize;

    /// About how many bytes a request holds.
    fn bytes(request: &Self::Request) -> usize;

    /// Does all of them in one transaction and answers each, in order. A failure of one must not be
    /// the others': what fails together is tried again one by one.
    fn flush(
        &self,
        tenant: TenantId,
        requests: Vec<Self::Request>,
    ) -> impl Future<Output = Vec<Result<Self::Answer, Problem>>> + Send;
}

/// The lanes of one kind of work. Cheap to clone.
pub(crate) struct Coalescer<F: Flush>(Arc<Inner<F>>);

struct Inner<F: Flush> {
    work: F,
    metrics: Metrics,
    lanes: Mutex<HashMap<TenantId, Lane<F>>>,
}

type Answered<F> = Result<<F as Flush>::Answer, Problem>;

struct Waiting<F: Flush> {
    request: F::Request,
    answer: oneshot::Sender<Answered<F>>,
}

struct Lane<F: Flush> {
    waiting: VecDeque<Waiting<F>>,
    items: usize,
    bytes: usize,
    runners: usize,
    full: Arc<Notify>,
}

impl<F: Flush> Coalescer<F> {
    pub(crate) fn new(work: F, metrics: Metrics) -> Self {
        Self(Arc::new(Inner {
            work,
            metrics,
            lanes: Mutex::new(HashMap::new()),
        }))
    }

    /// Asks for one piece of work and waits for its own answer.
    ///
    /// # Errors
    /// `OVERLOADED` when too much waits already; else what the work answers.
    pub(crate) async fn ask(&self, tenant: TenantId, request: F::Request) -> Answered<F> {
        let answer = self.enter(tenant, request)?;
        answer.await.unwrap_or_else(|_| {
            // The flush panicked; it is in the log.
            Err(Problem::new(
                Code::Internal,
                "the failure is in the log of the service",
            ))
        })
    }

    fn enter(
        &self,
        tenant: TenantId,
        request: F::Request,
    ) -> Result<oneshot::Receiver<Answered<F>>, Problem> {
        let (items, bytes) = (F::items(&request), F::bytes(&request));
        let mut lanes = self.0.lanes();
        let lane = lanes.entry(tenant).or_insert_with(Lane::new);
        let room =
            lane.items + items <= F::WAITING_MAX && lane.bytes + bytes <= F::WAITING_MAX_BYTES;
        if !room && !lane.waiting.is_empty() {
            self.0.metrics.full(F::KIND);
            return Err(Problem::new(
                Code::Overloaded,
                "too many requests of this kind wait already; try again",
            ));
        }
        let (sender, answer) = oneshot::channel();
        lane.items += items;
        lane.bytes += bytes;
        lane.waiting.push_back(Waiting {
            request,
            answer: sender,
        });
        if lane.items >= F::ITEMS_MAX {
            lane.full.notify_one();
        }
        if lane.runners < F::PLACES {
            let company = (lane.runners > 0).then(|| Arc::clone(&lane.full));
            lane.runners += 1;
            tokio::spawn(Inner::run(Arc::clone(&self.0), tenant, company));
        }
        Ok(answer)
    }
}

impl<F: Flush> Inner<F> {
    fn lanes(&self) -> MutexGuard<'_, HashMap<TenantId, Lane<F>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Flushes a lane until it is empty.
    async fn run(self: Arc<Self>, tenant: TenantId, company: Option<Arc<Notify>>) {
        if let Some(full) = company {
            let _ = tokio::time::timeout(COMPANY, full.notified()).await;
        }
        while let Some(batch) = self.take(tenant) {
            let items = batch.iter().map(|one| F::items(&one.request)).sum();
            self.metrics.flush(F::KIND, batch.len(), items);
            let (requests, answers): (Vec<_>, Vec<_>) = batch
                .into_iter()
                .map(|one| (one.request, one.answer))
                .unzip();
            let flusher = Arc::clone(&self);
            // A task of its own: a panic ends it and not the lane.
            let flush = tokio::spawn(async move { flusher.work.flush(tenant, requests).await });
            let Ok(results) = flush.await else {
                tracing::error!(kind = F::KIND, "a flush panicked");
                continue;
            };
            debug_assert_eq!(results.len(), answers.len());
            for (answer, result) in answers.into_iter().zip(results) {
                // Gone: the caller did not wait, its work is done all the same.
                let _ = answer.send(result);
            }
        }
    }

    /// The next batch of a lane; `None`, and one runner less, when nothing waits.
    fn take(&self, tenant: TenantId) -> Option<Vec<Waiting<F>>> {
        let mut lanes = self.lanes();
        let lane = lanes.get_mut(&tenant)?;
        let mut batch = Vec::new();
        let mut room = F::ITEMS_MAX;
        while let Some(next) = lane.waiting.front() {
            let items = F::items(&next.request);
            if (items > room && !batch.is_empty()) || batch.len() >= REQUESTS_MAX {
                break;
            }
            room = room.saturating_sub(items);
            lane.items -= items;
            lane.bytes -= F::bytes(&next.request);
            batch.extend(lane.waiting.pop_front());
        }
        if !batch.is_empty() {
            return Some(batch);
        }
        lane.runners -= 1;
        if lane.runners == 0 {
            lanes.remove(&tenant);
        }
        None
    }
}

impl<F: Flush> Lane<F> {
    fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            items: 0,
            bytes: 0,
            runners: 0,
            full: Arc::new(Notify::new()),
        }
    }
}

impl<F: Flush> Clone for Coalescer<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests;
