//! A node: the roles of one process over one ledger.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jobengine_api::{Authenticator, KeyPurpose, PublicUrl, PublishedKey, Server, ServerConfig};
use jobengine_domain::defaults::{HISTORY_KEPT_DAYS, LEASE_MS};
use jobengine_domain::dsse::SigningKey;
use jobengine_domain::egress::EgressPolicy;
use jobengine_domain::lease::LeaseMs;
use jobengine_domain::metric;
use jobengine_domain::network::Network;
use jobengine_duties::audit_copy::AuditCopy;
use jobengine_duties::audit_seal::AuditSeal;
use jobengine_duties::bulk::BulkActions;
use jobengine_duties::clock::ClockWatch;
use jobengine_duties::completion::Completing;
use jobengine_duties::dpop_proofs::DpopProofs;
use jobengine_duties::driver::Driver;
use jobengine_duties::egress::{Authorities, Egress};
use jobengine_duties::event_trim::EventTrim;
use jobengine_duties::gauge::Gauges;
use jobengine_duties::history_trim::HistoryTrim;
use jobengine_duties::hold::Holding;
use jobengine_duties::idempotency_expiry::IdempotencyExpiry;
use jobengine_duties::job_deadline::JobDeadline;
use jobengine_duties::lease_reaper::LeaseReaper;
use jobengine_duties::log_trim::LogTrim;
use jobengine_duties::outbox::Outbox;
use jobengine_duties::partition::Partition;
use jobengine_duties::planner::{Planner, Window};
use jobengine_duties::scheduler_metrics::SchedulerMetrics;
use jobengine_duties::webhook::{WebhookFanOut, WebhookRetention, WebhookSender};
use jobengine_impact::segment::SegmentSize;
use jobengine_queue::Queue;
use jobengine_store::secret::InstallationSecret;
use jobengine_store::{ImpactIndexes, Store};
use jobengine_telemetry::Registry;
use jobengine_telemetry::log::LogControl;
use jobengine_telemetry::trace::Traces;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::node_keys::NodeKeys;

/// How a node works.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Where it listens; port 0 takes a free one.
    pub(crate) listen: SocketAddr,
    /// How long it still answers when it is told to stop, for load balancers to notice.
    pub(crate) drain: Duration,
    /// Time a worker has between heartbeats.
    pub(crate) lease: LeaseMs,
    /// Changes that come together are planned together.
    pub(crate) window: Window,
    /// How long jobs are kept; `None` for ever.
    pub(crate) history: Option<Duration>,
    /// Most images per segment.
    pub(crate) segment_size: SegmentSize,
    /// Where webhooks may go.
    pub(crate) egress: EgressPolicy,
    /// Whose certificates webhooks' receivers may have, beside those the system trusts.
    pub(crate) authorities: Authorities,
    /// Where the administration listens, if it does.
    pub(crate) admin_listen: Option<SocketAddr>,
    /// What the process records.
    pub(crate) registry: Registry,
    /// Where spans go.
    pub(crate) traces: Traces,
    /// Changes what the process logs.
    pub(crate) log: LogControl,
    /// The service's own address, as clients write it.
    pub(crate) public_url: Option<PublicUrl>,
    /// Proxies whose word about a client's address is believed.
    pub(crate) proxies: Vec<Network>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            drain: Duration::ZERO,
            lease: LeaseMs::new(LEASE_MS).expect("the default lies within the bounds"),
            window: Window::default(),
            history: Some(Duration::from_hours(u64::from(HISTORY_KEPT_DAYS) * 24)),
            segment_size: SegmentSize::default(),
            egress: EgressPolicy::default(),
            authorities: Authorities::default(),
            admin_listen: None,
            registry: Registry::new(),
            traces: Traces::default(),
            log: LogControl::detached(),
            public_url: None,
            proxies: Vec::new(),
        }
    }
}

/// What the roles of a process share.
pub(crate) struct Node {
    store: Store,
    queue: Arc<dyn Queue>,
    indexes: Arc<ImpactIndexes>,
    key: Arc<SigningKey>,
    audit_key: Arc<SigningKey>,
    /// Tells replicas apart.
    replica: Uuid,
    registry: Registry,
    secret: InstallationSecret,
    settings: Settings,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Node {
    pub(crate) fn new(
        store: Store,
        queue: Arc<dyn Queue>,
        keys: NodeKeys,
        settings: Settings,
    ) -> Self {
        let registry = settings.registry.clone();
        let version = env!("CARGO_PKG_VERSION");
        registry.gauge(&metric::process::BUILD).set([version], 1);
        Self {
            store: store.observed(&registry, &settings.traces),
            queue,
            indexes: Arc::default(),
            registry,
            key: Arc::new(keys.completion),
            audit_key: Arc::new(keys.audit),
            replica: keys.replica,
            secret: keys.secret,
            settings,
            stop: CancellationToken::new(),
            tasks: Vec::new(),
        }
    }

    /// Serves the HTTP contract, and the administration where it has an address; tells where.
    pub(crate) async fn start_api(
        &mut self,
        authenticator: Authenticator,
    ) -> anyhow::Result<SocketAddr> {
        let listener = bind(self.settings.listen).await?;
        let address = listener.local_addr()?;
        let server = self.server(authenticator);
        self.administer(&server).await?;
        self.tasks
            .push(tokio::spawn(server.serve(listener, self.stop.clone())));
        Ok(address)
    }

    /// Serves the administration alone, for a process without the contract: what it counts and whether it is
    /// ready can be asked all the same.
    pub(crate) async fn start_administration(
        &mut self,
        authenticator: Authenticator,
    ) -> anyhow::Result<()> {
        let server = self.server(authenticator);
        self.administer(&server).await
    }

    async fn administer(&mut self, server: &Server) -> anyhow::Result<()> {
        let Some(listen) = self.settings.admin_listen else {
            return Ok(());
        };
        let listener = bind(listen).await?;
        let address = listener.local_addr()?;
        tracing::info!(%address, "the administration listens on {address}");
        let serving = server.administration().serve(listener, self.stop.clone());
        self.tasks.push(tokio::spawn(serving));
        Ok(())
    }

    fn server(&self, authenticator: Authenticator) -> Server {
        let config = ServerConfig {
            drain: self.settings.drain,
            lease: self.settings.lease,
            indexes: Arc::clone(&self.indexes),
            secret: self.secret.clone(),
            egress: self.settings.egress.clone(),
            keys: vec![
                PublishedKey::new(KeyPurpose::Completion, self.key.public()),
                PublishedKey::new(KeyPurpose::Audit, self.audit_key.public()),
            ],
            public_url: self.settings.public_url.clone(),
            proxies: self.settings.proxies.clone(),
            registry: self.registry.clone(),
            traces: self.settings.traces.clone(),
            log: self.settings.log.clone(),
            ..ServerConfig::default()
        };
        Server::new(
            self.store.clone(),
            Arc::clone(&self.queue),
            authenticator,
            &config,
        )
    }

    /// Starts the background passes.
    pub(crate) fn start_duties(&mut self, spool: &Path) {
        let (store, queue) = (&self.store, &self.queue);
        let mut driver = Driver::new(self.stop.clone(), &self.registry);
        driver.add(
            LeaseReaper::new(store.clone(), Arc::clone(queue)),
            Duration::from_secs(1),
        );
        driver.add(
            JobDeadline::new(store.clone(), Arc::clone(queue)),
            Duration::from_secs(1),
        );
        driver.add(
            BulkActions::new(store.clone(), Arc::clone(queue)),
            Duration::from_millis(500),
        );
        driver.add(
            Holding::new(store.clone(), Arc::clone(queue)),
            Duration::from_millis(500),
        );
        driver.add(Partition::new(store.clone()), Duration::from_hours(1));
        driver.add(EventTrim::new(store.clone()), Duration::from_mins(10));
        driver.add(LogTrim::new(store.clone()), Duration::from_hours(1));
        if let Some(kept) = self.settings.history {
            driver.add(
                HistoryTrim::new(store.clone(), kept),
                Duration::from_hours(1),
            );
        }
        driver.add(
            ClockWatch::new(store.clone(), self.replica, &self.registry),
            Duration::from_secs(5),
        );
        driver.add(DpopProofs::new(store.clone()), Duration::from_mins(1));
        let scheduler = SchedulerMetrics::new(&self.registry);
        driver.add(
            IdempotencyExpiry::new(store.clone()),
            Duration::from_mins(1),
        );
        driver.add(
            Completing::new(store.clone(), Arc::clone(&self.key), scheduler.clone()),
            Duration::from_millis(250),
        );
        driver.add(
            Outbox::new(store.clone(), spool.to_owned()),
            Duration::from_millis(500),
        );
        let sealer = AuditSeal::new(
            store.clone(),
            Arc::clone(&self.audit_key),
            self.replica,
            &self.registry,
        );
        driver.add(sealer, Duration::from_secs(1));
        driver.add(
            AuditCopy::new(store.clone(), spool.to_owned()),
            Duration::from_mins(1),
        );
        let planner = Planner::new(
            store.clone(),
            Arc::clone(&self.indexes),
            Arc::clone(queue),
            self.settings.window,
            self.settings.segment_size,
            scheduler,
        );
        driver.add(planner, Duration::from_millis(250));
        driver.add(
            Gauges::new(store.clone(), &self.registry),
            Duration::from_secs(5),
        );
        self.add_webhooks(&mut driver);
        self.tasks.push(tokio::spawn(driver.join()));
    }

    fn add_webhooks(&self, driver: &mut Driver) {
        driver.add(
            WebhookFanOut::new(self.store.clone()),
            Duration::from_millis(250),
        );
        let egress = Egress::new(self.settings.egress.clone(), &self.settings.authorities);
        driver.add(
            WebhookSender::new(
                self.store.clone(),
                egress,
                self.secret.clone(),
                &self.registry,
            ),
            Duration::from_millis(250),
        );
        driver.add(
            WebhookRetention::new(self.store.clone()),
            Duration::from_mins(5),
        );
    }

    /// Ends requests and passes under way.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            // A task that panicked has said so already.
            let _ = task.await;
        }
    }
}

async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen}: end what listens there, or choose another port")
    })
}
