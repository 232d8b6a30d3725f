//! What the handlers share.

use std::sync::Arc;
use std::time::Duration;

use jobengine_domain::egress::EgressPolicy;
use jobengine_domain::lease::LeaseMs;
use jobengine_queue::{Hint, Queue};
use jobengine_store::Store;
use jobengine_store::secret::InstallationSecret;
use jobengine_telemetry::Registry;
use jobengine_telemetry::log::LogControl;
use jobengine_telemetry::trace::Traces;
use tokio_util::sync::CancellationToken;

use crate::claim::Claimer;
use crate::coalesce::Coalescer;
use crate::flush::{CompleteFlush, HeartbeatFlush, SubmitFlush};
use crate::identity::Identity;
use crate::metrics::Metrics;
use crate::reference::Published;
use crate::scheduler::SchedulerState;
use crate::server::ServerConfig;
use crate::stream::Hub;
use crate::suspended::Suspended;

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState(Arc<Inner>);

struct Inner {
    store: Store,
    queue: Arc<dyn Queue>,
    identity: Identity,
    metrics: Metrics,
    registry: Registry,
    traces: Traces,
    log: LogControl,
    lease: LeaseMs,
    secret: InstallationSecret,
    egress: EgressPolicy,
    stopping: CancellationToken,
    shutdown: CancellationToken,
    out_of_time: CancellationToken,
    published: Published,
    scheduler: SchedulerState,
    suspended: Suspended,
    submits: Coalescer<SubmitFlush>,
    completes: Coalescer<CompleteFlush>,
    heartbeats: Coalescer<HeartbeatFlush>,
    claims: Claimer,
    hub: Hub,
    stream_stall: Duration,
    stream_heartbeat: Duration,
    stream_recheck: Duration,
    socket_silence: Duration,
}

impl AppState {
    pub(crate) fn new(
        store: Store,
        queue: Arc<dyn Queue>,
        identity: Identity,
        published: Published,
        scheduler: SchedulerState,
        config: &ServerConfig,
    ) -> Self {
        let metrics = Metrics::new(&config.registry);
        let (lease, secret) = (config.lease, config.secret.clone());
        let shutdown = CancellationToken::new();
        let completes = Coalescer::new(
            CompleteFlush::new(store.clone(), Arc::clone(&queue)),
            metrics.clone(),
        );
        Self(Arc::new(Inner {
            submits: Coalescer::new(
                SubmitFlush::new(store.clone(), Arc::clone(&queue), secret.clone()),
                metrics.clone(),
            ),
            heartbeats: Coalescer::new(HeartbeatFlush::new(store.clone()), metrics.clone()),
            claims: Claimer::new(
                store.clone(),
                Arc::clone(&queue),
                completes.clone(),
                metrics.clone(),
                lease,
                secret.clone(),
                shutdown.clone(),
            ),
            hub: Hub::new(store.clone(), secret.clone(), metrics.clone()),
            stream_stall: config.stream_stall,
            stream_heartbeat: config.stream_heartbeat,
            stream_recheck: config.stream_recheck,
            socket_silence: config.socket_silence,
            completes,
            store,
            queue,
            identity,
            metrics,
            registry: config.registry.clone(),
            traces: config.traces.clone(),
            log: config.log.clone(),
            lease,
            secret,
            egress: config.egress.clone(),
            stopping: CancellationToken::new(),
            shutdown,
            out_of_time: CancellationToken::new(),
            published,
            scheduler,
            suspended: Suspended::default(),
        }))
    }

    /// The ledger.
    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// Tells waiting workers what a committed transaction made ready.
    pub(crate) fn announce(&self, hints: &[Hint]) {
        if !hints.is_empty() {
            self.0.queue.announce(hints);
        }
    }

    /// Who sends a request, and whether that still holds.
    pub(crate) fn identity(&self) -> &Identity {
        &self.0.identity
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Everything that this process records.
    pub(crate) fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Where spans go.
    pub(crate) fn traces(&self) -> &Traces {
        &self.0.traces
    }

    /// Changes what this process logs.
    pub(crate) fn log(&self) -> &LogControl {
        &self.0.log
    }

    /// Where webhooks may go.
    pub(crate) fn egress(&self) -> &EgressPolicy {
        &self.0.egress
    }

    /// The lease of this installation.
    pub(crate) fn lease(&self) -> LeaseMs {
        self.0.lease
    }

    /// What only this installation can make.
    pub(crate) fn secret(&self) -> &InstallationSecret {
        &self.0.secret
    }

    /// Canceled when the server is about to stop: it still answers, and asks for no more requests.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.0.stopping
    }

    /// Canceled when the server stops: whoever waits, answers at once.
    pub(crate) fn shutdown(&self) -> &CancellationToken {
        &self.0.shutdown
    }

    /// Canceled when requests under way have had their time after the stop: they are refused.
    pub(crate) fn out_of_time(&self) -> &CancellationToken {
        &self.0.out_of_time
    }

    /// The contract, as it is served.
    pub(crate) fn published(&self) -> &Published {
        &self.0.published
    }

    /// The tenants whose tokens are refused.
    pub(crate) fn suspended(&self) -> &Suspended {
        &self.0.suspended
    }

    /// What the operations of the scheduler share.
    pub(crate) fn scheduler(&self) -> &SchedulerState {
        &self.0.scheduler
    }

    pub(crate) fn submits(&self) -> &Coalescer<SubmitFlush> {
        &self.0.submits
    }

    pub(crate) fn completes(&self) -> &Coalescer<CompleteFlush> {
        &self.0.completes
    }

    pub(crate) fn heartbeats(&self) -> &Coalescer<HeartbeatFlush> {
        &self.0.heartbeats
    }

    /// The event streams.
    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// A reader whose connection takes nothing for so long is cut off.
    pub(crate) fn stream_stall(&self) -> Duration {
        self.0.stream_stall
    }

    /// A stream without events says so often that it is alive.
    pub(crate) fn stream_heartbeat(&self) -> Duration {
        self.0.stream_heartbeat
    }

    /// So often is looked whether the credential of a stream's reader still holds.
    pub(crate) fn stream_recheck(&self) -> Duration {
        self.0.stream_recheck
    }

    /// A WebSocket's client that is silent for so long is gone.
    pub(crate) fn socket_silence(&self) -> Duration {
        self.0.socket_silence
    }

    pub(crate) fn claims(&self) -> &Claimer {
        &self.0.claims
    }
}

impl std::fmt::Debug for AppState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppState")
    }
}
