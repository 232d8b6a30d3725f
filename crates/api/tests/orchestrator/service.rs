//! A service with two tenants, and a client that speaks to it.

use std::sync::Arc;
use std::time::Duration;

use jobengine_api::{Authenticator, DevIssuer, Server, ServerConfig, TokenRequest};
use jobengine_domain::caller::Scope;
use jobengine_domain::id::{ProjectId, TenantId};
use jobengine_queue::{Local, Postgres, Queue};
use jobengine_store::Store;
use jobengine_store::secret::InstallationSecret;
use jobengine_store::testing::{TestClock, TestDatabase};
use jobengine_telemetry::Registry;
use jobengine_telemetry::trace::{SpanQueue, Traces};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) const OURS: TenantId = TenantId(Uuid::from_u128(0xa));
pub(crate) const OTHERS: TenantId = TenantId(Uuid::from_u128(0xb));
/// A free port of this machine.
const HERE: &str = "127.0.0.1:0";
pub(crate) const SESSION: Uuid = Uuid::from_u128(0x51);

pub(crate) struct Service {
    pub(crate) url: String,
    pub(crate) http: Client,
    pub(crate) issuer: DevIssuer,
    pub(crate) registry: Registry,
    pub(crate) store: Store,
    pub(crate) shutdown: CancellationToken,
    pub(crate) running: JoinHandle<()>,
    /// The administration's listener.
    pub(crate) inside: String,
    pub(crate) database: Arc<TestDatabase>,
}

/// Somebody who speaks to the service.
#[derive(Clone)]
pub(crate) struct Person {
    http: Client,
    base: String,
    pub(crate) token: String,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Service {
    pub(crate) async fn start() -> Self {
        let database = Arc::new(TestDatabase::create().await);
        Self::over(database, Arc::new(Local::new()), Duration::ZERO).await
    }

    /// A service that is set up in another way.
    pub(crate) async fn start_with(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let mut config = ServerConfig::default();
        change(&mut config);
        Self::set_up(DevIssuer::authenticator, config).await
    }

    /// One that still answers for so long when it is told to stop.
    pub(crate) async fn draining(drain: Duration) -> Self {
        let database = Arc::new(TestDatabase::create().await);
        Self::over(database, Arc::new(Local::new()), drain).await
    }

    /// A service that believes other issuers than its own, or is set up in another way.
    pub(crate) async fn set_up(
        trust: impl FnOnce(&DevIssuer) -> Authenticator,
        config: ServerConfig,
    ) -> Self {
        Self::at(HERE, trust, config).await
    }

    /// The same, listening elsewhere.
    pub(crate) async fn at(
        listen: &str,
        trust: impl FnOnce(&DevIssuer) -> Authenticator,
        config: ServerConfig,
    ) -> Self {
        let database = Arc::new(TestDatabase::create().await);
        Self::with(database, Arc::new(Local::new()), trust, config, listen).await
    }

    /// Two processes over one ledger, that hear of each other over the database only.
    pub(crate) async fn replicas() -> [Self; 2] {
        let database = Arc::new(TestDatabase::create().await);
        let queue = async |name| Arc::new(Postgres::start(database.store().await, name));
        [
            Self::over(Arc::clone(&database), queue("one").await, Duration::ZERO).await,
            Self::over(Arc::clone(&database), queue("two").await, Duration::ZERO).await,
        ]
    }

    /// One whose time is that of a clock.
    pub(crate) async fn clocked(clock: TestClock) -> Self {
        let database = Arc::new(TestDatabase::create().await);
        let store = database.store().await.with_clock(clock);
        let (queue, config) = (Arc::new(Local::new()), ServerConfig::default());
        Self::of(
            database,
            store,
            queue,
            DevIssuer::authenticator,
            config,
            HERE,
        )
        .await
    }

    /// A process over this ledger.
    pub(crate) async fn over(
        database: Arc<TestDatabase>,
        queue: Arc<dyn Queue>,
        drain: Duration,
    ) -> Self {
        let config = ServerConfig {
            // Of all replicas.
            secret: InstallationSecret::from_bytes(&[5; 32]),
            drain,
            ..ServerConfig::default()
        };
        Self::with(database, queue, DevIssuer::authenticator, config, HERE).await
    }

    /// One that records traces.
    pub(crate) async fn traced() -> (Self, SpanQueue) {
        let database = Arc::new(TestDatabase::create().await);
        let config = ServerConfig::default();
        let (traces, spans) = Traces::queued(&config.registry);
        let config = ServerConfig { traces, ..config };
        let service = Self::with(
            database,
            Arc::new(Local::new()),
            DevIssuer::authenticator,
            config,
            HERE,
        )
        .await;
        (service, spans)
    }

    async fn with(
        database: Arc<TestDatabase>,
        queue: Arc<dyn Queue>,
        trust: impl FnOnce(&DevIssuer) -> Authenticator,
        config: ServerConfig,
        listen: &str,
    ) -> Self {
        let store = database.store().await;
        Self::of(database, store, queue, trust, config, listen).await
    }

    async fn of(
        database: Arc<TestDatabase>,
        store: Store,
        queue: Arc<dyn Queue>,
        trust: impl FnOnce(&DevIssuer) -> Authenticator,
        config: ServerConfig,
        listen: &str,
    ) -> Self {
        let (registry, traces) = (config.registry.clone(), config.traces.clone());
        let store = store.observed(&registry, &traces);
        store.tenant_create(OURS, "ours", 1).await.unwrap();
        store.tenant_create(OTHERS, "others", 1).await.unwrap();
        let issuer = DevIssuer::from_seed("https://issuer", "jobengine", &[7; 32]).unwrap();
        let server = Server::new(store.clone(), queue, trust(&issuer), &config);
        let listener = TcpListener::bind(listen).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let administration = TcpListener::bind(listen).await.unwrap();
        let inside = format!("http://{}", administration.local_addr().unwrap());
        tokio::spawn(
            server
                .administration()
                .serve(administration, shutdown.clone()),
        );
        let running = tokio::spawn(server.serve(listener, shutdown.clone()));
        Self {
            url,
            http: Client::builder().tls_certs_only([]).build().unwrap(),
            issuer,
            registry,
            store,
            shutdown,
            running,
            inside,
            database,
        }
    }

    /// Somebody of our tenant who may do everything.
    pub(crate) fn ours(&self) -> Person {
        self.acting("ours", OURS, Scope::ALL)
    }

    /// Somebody of another tenant who may do everything there.
    pub(crate) fn others(&self) -> Person {
        self.acting("others", OTHERS, Scope::ALL)
    }

    pub(crate) fn acting(&self, subject: &str, tenant: TenantId, scopes: &[Scope]) -> Person {
        let request = TokenRequest {
            subject: subject.to_owned(),
            tenant,
            project: None,
            scopes: scopes.to_vec(),
            ttl_s: 600,
        };
        Person {
            http: self.http.clone(),
            base: format!("{}/api/v1/orchestrator", self.url),
            token: self.issuer.mint(&request).unwrap(),
        }
    }

    /// The one of [`Self::ours`], bound to a project.
    pub(crate) fn bound(&self, project: ProjectId) -> Person {
        let request = TokenRequest {
            subject: "ours".to_owned(),
            tenant: OURS,
            project: Some(project),
            scopes: Scope::ALL.to_vec(),
            ttl_s: 600,
        };
        let ours = self.ours();
        ours.with_token(&self.issuer.mint(&request).unwrap())
    }

    pub(crate) async fn sql(&self, sql: &str) {
        let (client, connection) = self
            .database
            .super_config()
            .connect(tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
    }

    /// One text out of the database.
    pub(crate) async fn text(&self, sql: &str) -> String {
        let config = self.database.super_config();
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// One sample out of the metrics' text, a whole number; 0 when nothing was counted.
    pub(crate) fn sample(&self, name: &str) -> u64 {
        let text = self.registry.render();
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.rsplit(' ').next());
        let whole = value.and_then(|value| value.trim_end_matches(".0").parse().ok());
        whole.unwrap_or(0)
    }
}

impl Person {
    /// The same, who shows something else.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        let mut other = self.clone();
        token.clone_into(&mut other.token);
        other
    }

    /// What it shows.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.base);
        let key = jobengine_store::draw::<Uuid>(jobengine_domain::time::Timestamp::from_micros(0));
        self.http
            .request(method, url)
            .bearer_auth(&self.token)
            .header("idempotency-key", key.to_string())
    }

    /// Sends lines under a key of one's own; the answer's lines.
    pub(crate) async fn post_lines(&self, path: &str, key: &str, lines: String) -> String {
        let request = self.http.post(format!("{}{path}", self.base));
        let request = request.bearer_auth(&self.token).body(lines);
        let request = request
            .header("idempotency-key", key)
            .header("content-type", "application/x-ndjson");
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/x-ndjson");
        response.text().await.unwrap()
    }

    /// Sends a body under a key of one's own.
    pub(crate) async fn post_keyed(&self, path: &str, key: &str, body: &Value) -> Answer {
        let request = self.http.post(format!("{}{path}", self.base));
        let request = request.bearer_auth(&self.token);
        send(request.header("idempotency-key", key).json(body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// Sends a text as JSON, whatever it is.
    pub(crate) async fn post_text(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.request(Method::POST, path).body(body);
        send(request.header("content-type", "application/json")).await
    }

    pub(crate) async fn submit(&self, jobs: Value) -> Vec<String> {
        let answer = self.post("/jobs", &json!({"jobs": jobs})).await.ok(201);
        let ids = answer["jobIds"].as_array().unwrap();
        ids.iter()
            .map(|id| id.as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) async fn claim_answer(&self) -> Answer {
        let claim = json!({"sessionId": SESSION, "worker": "w", "types": ["t"], "max": 1});
        self.post("/worker/claim", &claim).await
    }

    pub(crate) async fn claim(&self, max: u32, wait_ms: u32) -> Vec<Value> {
        let claim = json!({"sessionId": SESSION, "worker": "w", "types": ["t"], "max": max, "waitMs": wait_ms});
        let answer = self.post("/worker/claim", &claim).await.ok(200);
        answer["grants"].as_array().unwrap().clone()
    }

    pub(crate) async fn complete(&self, reports: Value) -> Answer {
        let request = json!({"sessionId": SESSION, "reports": reports});
        self.post("/worker/complete", &request).await
    }

    pub(crate) async fn state(&self, job: &str) -> String {
        let job = self.get(&format!("/jobs/{job}")).await.ok(200);
        job["state"].as_str().unwrap().to_owned()
    }
}

impl Answer {
    /// The body, of an answer with this status.
    pub(crate) fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body
    }

    /// Status and code of a problem, which is whole.
    pub(crate) fn problem(&self) -> (u16, &str) {
        let body = &self.body;
        let code = body["code"].as_str().unwrap_or_default();
        let page = code.to_lowercase().replace('_', "-");
        assert_eq!(body["type"], format!("/problems/{page}"), "{body:#}");
        assert_eq!(body["status"], self.status, "{body:#}");
        assert_eq!(body["traceId"].as_str().unwrap().len(), 32, "{body:#}");
        assert!(!body["correlationId"].as_str().unwrap().is_empty());
        assert!(!body["title"].as_str().unwrap().is_empty());
        (self.status, code)
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text);
    Answer {
        status,
        body: body.unwrap_or_else(|error| panic!("{status}: {error}: {text}")),
    }
}

/// A job of type `t`.
pub(crate) fn job() -> Value {
    json!({"type": "t", "payload": {"n": 1}})
}

/// A report on a grant.
pub(crate) fn report(grant: &Value, outcome: &str) -> Value {
    json!({"jobId": grant["jobId"], "leaseToken": grant["leaseToken"], "outcome": outcome})
}
