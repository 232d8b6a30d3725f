//! A node: the roles of one process over one ledger.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jobengine_api::{
    Authenticator, DevIssuer, KeyPurpose, Network, PublicUrl, PublishedKey, Server, ServerConfig,
    TokenRequest,
};
use jobengine_domain::caller::Scope;
use jobengine_domain::defaults::LEASE_MS;
use jobengine_domain::dsse::{PublicKey, SigningKey};
use jobengine_domain::egress::EgressPolicy;
use jobengine_domain::id::TenantId;
use jobengine_domain::lease::LeaseMs;
use jobengine_domain::metric;
use jobengine_duties::audit_copy::AuditCopy;
use jobengine_duties::audit_seal::AuditSeal;
use jobengine_duties::bulk::BulkActions;
use jobengine_duties::completion::Completing;
use jobengine_duties::dpop_proofs::DpopProofs;
use jobengine_duties::driver::Driver;
use jobengine_duties::egress::Egress;
use jobengine_duties::event_trim::EventTrim;
use jobengine_duties::gauge::Gauges;
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
use jobengine_queue::{Local, Queue};
use jobengine_sdk::{Client, TokenSource};
use jobengine_store::secret::InstallationSecret;
use jobengine_store::{ImpactIndexes, InsertProbe, Store};
use jobengine_telemetry::Registry;
use jobengine_telemetry::log::LogControl;
use jobengine_telemetry::trace::Traces;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::data_dir::DataDir;
use crate::database::Database;
use crate::node_keys::NodeKeys;
use crate::{key_file, token};

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
    /// Most images per segment.
    pub(crate) segment_size: SegmentSize,
    /// Where webhooks may go.
    pub(crate) egress: EgressPolicy,
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
            segment_size: SegmentSize::default(),
            egress: EgressPolicy::default(),
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

    /// Fires when the node stops.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Serves the HTTP contract; tells where.
    pub(crate) async fn start_api(
        &mut self,
        authenticator: Authenticator,
    ) -> anyhow::Result<SocketAddr> {
        let listener = bind(self.settings.listen).await?;
        let address = listener.local_addr()?;
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
        let server = Server::new(
            self.store.clone(),
            Arc::clone(&self.queue),
            authenticator,
            &config,
        );
        if let Some(listen) = self.settings.admin_listen {
            let listener = bind(listen).await?;
            let address = listener.local_addr()?;
            tracing::info!(%address, "the administration listens on {address}");
            let serving = server.administration().serve(listener, self.stop.clone());
            self.tasks.push(tokio::spawn(serving));
        }
        self.tasks
            .push(tokio::spawn(server.serve(listener, self.stop.clone())));
        Ok(address)
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
        let egress = Egress::new(self.settings.egress.clone());
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

/// A node with everything of its own, in a temporary directory: for the demo and benchmarks.
pub(crate) struct TemporaryNode {
    dir: TempDir,
    data: DataDir,
    database: Database,
    node: Node,
    issuer: DevIssuer,
    tenant: TenantId,
    address: SocketAddr,
    key: PublicKey,
    start_ms: u64,
}

impl TemporaryNode {
    /// Starts a private PostgreSQL and the API over it; duties start when they are told to.
    pub(crate) async fn start(name: &str, settings: Settings) -> anyhow::Result<Self> {
        let began = Instant::now();
        let dir = tempfile::Builder::new()
            .prefix(&format!("jobengine-{name}-"))
            .tempdir()?;
        let data = DataDir::open(Some(dir.path()))?;
        let database = Database::embedded(&data).await?;
        let keys = NodeKeys::open(&data, None)?;
        let issuer = token::issuer(&data)?;
        let tenant = jobengine_store::draw(database.store.now().await?);
        database.store.tenant_create(tenant, name, 1).await?;
        let public = keys.completion.public();
        let mut node = Node::new(
            database.store.clone(),
            Arc::new(Local::new()),
            keys,
            settings,
        );
        let address = node.start_api(issuer.authenticator()).await?;
        let start_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let started = Self {
            dir,
            data,
            database,
            node,
            issuer,
            tenant,
            address,
            key: public,
            start_ms,
        };
        let worker = started.mint("worker", vec![Scope::Worker])?;
        key_file::write_private(&started.worker_token(), &worker)?;
        Ok(started)
    }

    /// How long the start took.
    pub(crate) const fn start_ms(&self) -> u64 {
        self.start_ms
    }

    /// PostgreSQL's version.
    pub(crate) fn postgres(&self) -> String {
        self.database
            .embedded
            .as_ref()
            .map_or_else(String::new, |running| running.version().to_string())
    }

    /// Where the API listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client that may do everything.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let token = self.mint("operator", Scope::ALL.to_vec())?;
        Ok(Client::builder(self.url())
            .token(TokenSource::fixed(token))
            .build()?)
    }

    /// Where the API listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes one more tenant, and a token of somebody who may do everything there.
    pub(crate) async fn further_tenant(&self, name: &str) -> anyhow::Result<String> {
        let store = &self.database.store;
        let tenant = jobengine_store::draw(store.now().await?);
        store.tenant_create(tenant, name, 1).await?;
        self.mint_for(tenant, "operator", Scope::ALL.to_vec())
    }

    /// The file with the workers' token.
    pub(crate) fn worker_token(&self) -> PathBuf {
        self.data.file("worker.token")
    }

    /// Where a process of this name logs.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.data.file(&format!("{name}.log"))
    }

    /// The key that verifies completion events.
    pub(crate) const fn completion_key(&self) -> PublicKey {
        self.key
    }

    /// Where the completion event of a run is delivered.
    pub(crate) fn spooled(&self, run: Uuid) -> PathBuf {
        self.data
            .spool()
            .join(self.tenant.to_string())
            .join(format!("run-completion.{run}.dsse.json"))
    }

    /// Starts the background passes.
    pub(crate) fn start_duties(&mut self) {
        self.node.start_duties(&self.data.spool());
    }

    /// Bytes of write-ahead log written so far, whole PostgreSQL.
    pub(crate) async fn wal_bytes(&self) -> anyhow::Result<u64> {
        self.database.wal_bytes().await
    }

    /// The yardstick of the benchmarks, over so many connections.
    pub(crate) async fn insert_probe(&self, connections: usize) -> anyhow::Result<InsertProbe> {
        self.database.insert_probe(connections).await
    }

    /// Stops everything and removes the directory.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.node.stop().await;
        self.database.close().await?;
        self.dir
            .close()
            .context("cannot remove the temporary directory")
    }

    fn mint(&self, subject: &str, scopes: Vec<Scope>) -> anyhow::Result<String> {
        self.mint_for(self.tenant, subject, scopes)
    }

    fn mint_for(
        &self,
        tenant: TenantId,
        subject: &str,
        scopes: Vec<Scope>,
    ) -> anyhow::Result<String> {
        let request = TokenRequest {
            subject: subject.to_owned(),
            tenant,
            project: None,
            scopes,
            ttl_s: 3_600,
        };
        Ok(self.issuer.mint(&request)?)
    }
}
