//! A service with two tenants, and a client that speaks to it.

use std::sync::Arc;

use jobengine_api::{DevIssuer, KeyPurpose, PublishedKey, Server, ServerConfig, TokenRequest};
use jobengine_domain::caller::{Caller, Scope};
use jobengine_domain::dsse::SigningKey;
use jobengine_domain::id::TenantId;
use jobengine_queue::Local;
use jobengine_store::Store;
use jobengine_store::testing::TestDatabase;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

pub(crate) const OURS: TenantId = TenantId(Uuid::from_u128(0xa));
pub(crate) const OTHERS: TenantId = TenantId(Uuid::from_u128(0xb));

const SCOPES: [Scope; 4] = [
    Scope::SchedulerRead,
    Scope::SchedulerWrite,
    Scope::Simulate,
    Scope::Worker,
];

pub(crate) struct Service {
    pub(crate) store: Store,
    pub(crate) caller: Caller,
    url: String,
    http: Client,
    issuer: DevIssuer,
    token: String,
    database: TestDatabase,
    _running: DropGuard,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Service {
    pub(crate) async fn start() -> Self {
        let database = TestDatabase::create().await;
        let store = database.store().await;
        store.tenant_create(OURS, "ours", 1).await.unwrap();
        store.tenant_create(OTHERS, "others", 1).await.unwrap();
        let issuer = DevIssuer::from_seed("https://issuer", "jobengine", &[7; 32]).unwrap();
        let config = ServerConfig {
            keys: vec![PublishedKey::new(
                KeyPurpose::Completion,
                SigningKey::from_seed(&[9; 32]).unwrap().public(),
            )],
            ..ServerConfig::default()
        };
        let queue = Arc::new(Local::new());
        let server = Server::new(store.clone(), queue, issuer.authenticator(), &config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        tokio::spawn(server.serve(listener, shutdown.clone()));
        let http = Client::builder().tls_certs_only([]).build().unwrap();
        let token = mint(&issuer, OURS, &SCOPES);
        Self {
            store,
            caller: Caller::system(OURS),
            url,
            http,
            issuer,
            token,
            database,
            _running: shutdown.drop_guard(),
        }
    }

    /// The same service, spoken to by somebody else.
    pub(crate) fn acting(self, tenant: TenantId, scopes: &[Scope]) -> Self {
        let token = mint(&self.issuer, tenant, scopes);
        Self { token, ..self }
    }

    pub(crate) fn acting_as_others(self) -> Self {
        self.acting(OTHERS, &SCOPES)
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/api/v1/scheduler{path}", self.url);
        self.http.request(method, url).bearer_auth(&self.token)
    }

    /// An act of an operator below the orchestrator's part of the contract.
    pub(crate) async fn operate(&self, path: &str) -> Answer {
        let url = format!("{}/api/v1/orchestrator{path}", self.url);
        let token = mint(&self.issuer, OURS, &[Scope::Operate]);
        send(self.http.post(url).bearer_auth(token)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        send(self.request(Method::POST, path).body(body)).await
    }

    pub(crate) async fn post_packed(&self, path: &str, encoding: &str, body: Vec<u8>) -> Answer {
        let request = self.request(Method::POST, path).body(body);
        send(request.header("content-encoding", encoding)).await
    }

    /// Changes rows behind the service's back, as an earlier release left them.
    pub(crate) async fn alter(&self, statement: &str) {
        let config = self.database.super_config();
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let statement = format!("SET search_path = orch; {statement}");
        client.batch_execute(&statement).await.unwrap();
    }

    /// Changes that the planner has not seen.
    pub(crate) async fn pending(&self) -> u64 {
        let cursors = self.get("/cursors").await.ok(200);
        cursors["items"][0]["pending"].as_u64().unwrap()
    }
}

impl Answer {
    /// The body, of an answer with this status.
    pub(crate) fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body
    }

    /// Status, code and the first field of a problem.
    pub(crate) fn problem<'a>(&'a self) -> (u16, &'a str, &'a str) {
        let problem = &self.body;
        assert_eq!(problem["status"], self.status, "{problem:#}");
        let text = |value: &'a Value| value.as_str().unwrap_or_default();
        (
            self.status,
            text(&problem["code"]),
            text(&problem["errors"][0]["field"]),
        )
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

fn mint(issuer: &DevIssuer, tenant: TenantId, scopes: &[Scope]) -> String {
    let request = TokenRequest {
        subject: format!("tester-of-{tenant}"),
        tenant,
        project: None,
        scopes: scopes.to_vec(),
        ttl_s: 600,
    };
    issuer.mint(&request).unwrap()
}
