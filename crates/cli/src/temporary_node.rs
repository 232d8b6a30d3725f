//! A node with everything of its own, which leaves nothing behind.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use jobengine_api::{DevIssuer, TokenRequest};
use jobengine_domain::caller::Scope;
use jobengine_domain::dsse::PublicKey;
use jobengine_domain::id::TenantId;
use jobengine_queue::Local;
use jobengine_sdk::{Client, TokenSource};
use jobengine_store::InsertProbe;
use tempfile::TempDir;
use uuid::Uuid;

use crate::data_dir::DataDir;
use crate::database::{CONNECTIONS, Database};
use crate::node::{Node, Settings};
use crate::node_keys::NodeKeys;
use crate::{key_file, token};

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
        let database = Database::embedded(&data, CONNECTIONS).await?;
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

    /// Has PostgreSQL do at once what follows in its own time from much that was written.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        self.database.settle().await
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
