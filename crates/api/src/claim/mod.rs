//! Handing out jobs: waiting workers of a tenant share one lane.
//!
//! A lane holds its waiters in memory and a database connection only while a claim is under way. It
//! tries when somebody asks, when a hint says that something may be ready, and once a second by
//! itself. What one statement finds is dealt out in turn, so that idle workers share a burst.

mod attempt;
mod deal;
mod lane;
mod position;
mod repeat;
mod search;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jobengine_domain::id::TenantId;
use jobengine_domain::lease::LeaseMs;
use jobengine_domain::time::Timestamp;
use jobengine_queue::Queue;
use jobengine_store::secret::InstallationSecret;
use jobengine_store::{Act, Grant, Store, WorkerSession};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::coalesce::Coalescer;
use crate::flush::CompleteFlush;
use crate::metrics::Metrics;
use crate::problem::{Code, Problem};
use lane::Lane;

/// Tenants whose workers wait at once in one process.
const LANES_MAX: usize = 10_000;
/// Claims of one tenant that arrived and were not looked at yet.
const INBOX_MAX: usize = 1_024;

/// What one worker asks for.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// Who asks.
    pub session: WorkerSession,
    /// Which jobs it can do.
    pub types: Vec<String>,
    /// How many at most.
    pub max: u32,
    /// How long it waits for the first.
    pub wait: Duration,
    /// The claim, as the audit trail names it. With a key, if the worker gave one: its name is that of the session and
    /// the worker's key, its request the digest of session, types and numbers.
    pub act: Act,
}

/// What one worker gets.
#[derive(Debug)]
pub(crate) struct Claimed {
    /// Its jobs; none when the wait was over first.
    pub grants: Vec<Grant>,
    /// The database's clock when they were granted.
    pub at: Timestamp,
    /// Whether they were given before, to the same claim.
    pub replayed: bool,
}

/// One worker that waits.
#[derive(Debug)]
struct Waiter {
    ask: Ask,
    until: Instant,
    /// Whether the ledger was looked at for it.
    tried: bool,
    /// When its session was last kept open.
    opened: Option<Instant>,
    /// Whether its session held a job that was granted alone when it was last kept open: it gets no other one.
    alone: bool,
    answer: oneshot::Sender<Result<Claimed, Problem>>,
}

/// Hands out jobs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Claimer(Arc<Shared>);

/// What the lanes share.
struct Shared {
    store: Store,
    queue: Arc<dyn Queue>,
    completes: Coalescer<CompleteFlush>,
    metrics: Metrics,
    lease: LeaseMs,
    secret: InstallationSecret,
    shutdown: CancellationToken,
    lanes: Mutex<HashMap<TenantId, mpsc::Sender<Waiter>>>,
}

impl Claimer {
    pub(crate) fn new(
        store: Store,
        queue: Arc<dyn Queue>,
        completes: Coalescer<CompleteFlush>,
        metrics: Metrics,
        lease: LeaseMs,
        secret: InstallationSecret,
        shutdown: CancellationToken,
    ) -> Self {
        Self(Arc::new(Shared {
            store,
            queue,
            completes,
            metrics,
            lease,
            secret,
            shutdown,
            lanes: Mutex::new(HashMap::new()),
        }))
    }

    /// Waits for jobs of a tenant. When the caller goes away, what was dealt to it is given back.
    ///
    /// # Errors
    /// `OVERLOADED`, `SESSION_TAKEN`, or what the store says.
    pub(crate) async fn claim(&self, tenant: TenantId, ask: Ask) -> Result<Claimed, Problem> {
        let (answer, answered) = oneshot::channel();
        let waiter = Waiter {
            until: Instant::now() + ask.wait,
            ask,
            tried: false,
            opened: None,
            alone: false,
            answer,
        };
        self.enter(tenant, waiter)?;
        let gone = || Problem::new(Code::Internal, "the failure is in the log of the service");
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    fn enter(&self, tenant: TenantId, waiter: Waiter) -> Result<(), Problem> {
        let busy = || Problem::new(Code::Overloaded, "too many workers wait already; try again");
        let mut lanes = self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let waiter = match lanes.get(&tenant) {
            None => waiter,
            Some(lane) => match lane.try_send(waiter) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(_)) => return Err(busy()),
                // It panicked; the next one starts anew.
                Err(TrySendError::Closed(waiter)) => waiter,
            },
        };
        if lanes.len() >= LANES_MAX {
            return Err(busy());
        }
        let (sender, inbox) = mpsc::channel(INBOX_MAX);
        sender
            .try_send(waiter)
            .map_err(|_| busy())
            .expect("a fresh channel has room");
        lanes.insert(tenant, sender);
        tokio::spawn(Lane::new(Arc::clone(&self.0), tenant, inbox).run());
        Ok(())
    }
}

impl Shared {
    /// Ends a lane, unless somebody came at the last moment.
    fn leave(&self, tenant: TenantId, inbox: &mpsc::Receiver<Waiter>) -> bool {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = inbox.is_empty();
        if idle {
            lanes.remove(&tenant);
        }
        idle
    }
}
