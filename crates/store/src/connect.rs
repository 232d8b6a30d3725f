//! Connections to the ledger: one pool for tenants' work, a small one for finding work that is due.

use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use jobengine_domain::caller::Caller;
use jobengine_domain::time::Timestamp;
use jobengine_telemetry::Registry;
use jobengine_telemetry::trace::Traces;
use tokio::sync::watch;
use tokio_postgres::{Config, NoTls, config::Host};

use crate::caller::Tx;
use crate::error::StoreError;
use crate::migrate::schema_version;
use crate::observe::Observer;
use crate::tls;
use crate::ts::Ts;

/// The ledger in PostgreSQL. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    app: Pool,
    sched: Pool,
    /// For the one connection that stands outside the pools.
    app_config: Arc<Config>,
    observer: Observer,
    /// Counts the commits of this process that wrote events.
    commits: watch::Sender<u64>,
}

/// How often a transaction that met another one is tried.
const CONFLICT_TRIES: u32 = 5;
/// No further try begins after that: whoever waited for a lock in vain has waited long enough.
const CONFLICT_TIME: Duration = Duration::from_secs(1);
/// A caller waits this long for a connection before it hears that the database is not available.
const CONNECTION_WAIT: Duration = Duration::from_millis(1_500);

impl Store {
    /// Opens the pools: `app` logs in as the role that serves tenants, `sched` as the one that only
    /// sees which tenant has work due. Refuses a database that breaks the promises.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when PostgreSQL cannot be reached, [`StoreError::Unfit`] when a
    /// role could pass row-level security, the server is too old or a crash could lose commits.
    pub async fn open(
        app: &Config,
        sched: &Config,
        connections: usize,
    ) -> Result<Self, StoreError> {
        let store = Self {
            app: pool(app, connections)?,
            sched: pool(sched, 2)?,
            app_config: Arc::new(settled(app)),
            observer: Observer::new(&Registry::new(), Traces::default()),
            commits: watch::Sender::new(0),
        };
        store.check_fitness().await?;
        Ok(store)
    }

    /// Records in `registry` and `traces` what it does from now on, and its clones made from now on.
    #[must_use]
    pub fn observed(mut self, registry: &Registry, traces: &Traces) -> Self {
        self.observer = Observer::new(registry, traces.clone());
        self
    }

    /// Opens a transaction for a caller: its tenant is bound, its clock is read once.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when no connection can be had in time.
    pub async fn begin(&self, caller: &Caller) -> Result<Tx, StoreError> {
        self.open_tx(caller, "BEGIN").await
    }

    /// Opens a transaction that can only read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when no connection can be had in time.
    pub async fn read(&self, caller: &Caller) -> Result<Tx, StoreError> {
        self.open_tx(caller, "BEGIN READ ONLY").await
    }

    async fn open_tx(&self, caller: &Caller, begin: &'static str) -> Result<Tx, StoreError> {
        let asked = Instant::now();
        let connection = self.app.get().await?;
        self.observer.connected("app", asked.elapsed());
        let commits = self.commits.clone();
        Tx::open(connection, caller, &self.observer, begin, commits).await
    }

    /// Changes whenever a transaction of this process that wrote events was committed. Other processes'
    /// commits are not heard here.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    /// How the role that serves tenants connects.
    pub(crate) fn app_config(&self) -> &Config {
        &self.app_config
    }

    /// A connection of the role that sees across tenants, but only which of them has work due.
    pub(crate) async fn sched(&self) -> Result<Object, StoreError> {
        let asked = Instant::now();
        let connection = self.sched.get().await?;
        self.observer.connected("sched", asked.elapsed());
        Ok(connection)
    }

    /// Runs `work` again, up to five times and within a second, while it ends in [`StoreError::Conflict`].
    ///
    /// # Errors
    /// The last error of `work`.
    pub async fn retrying<T, F>(&self, mut work: impl FnMut() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let began = Instant::now();
        for turn in 1..CONFLICT_TRIES {
            match work().await {
                Err(StoreError::Conflict(error)) if began.elapsed() < CONFLICT_TIME => {
                    self.observer.conflict();
                    tracing::debug!(turn, %error, "transaction met another one; trying again");
                    tokio::time::sleep(pause(turn)).await;
                }
                answer => return answer,
            }
        }
        work().await
    }

    /// Whether PostgreSQL answers and its schema is the one this program needs, or a later one; else
    /// what is wrong with the schema.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when PostgreSQL does not answer.
    pub async fn schema_complaint(&self) -> Result<Option<String>, StoreError> {
        let row = self
            .app
            .get()
            .await?
            .query_one(include_str!("connect/schema.sql"), &[])
            .await?;
        let (found, needed) = (row.get::<_, i32>("version"), schema_version());
        Ok((found < needed).then(|| {
            format!("the schema is at version {found}, this program needs {needed}: run `jobengine migrate`")
        }))
    }

    /// The database's clock: for what is drawn outside a transaction.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when PostgreSQL does not answer.
    pub async fn now(&self) -> Result<Timestamp, StoreError> {
        let row = self
            .app
            .get()
            .await?
            .query_one(include_str!("connect/now.sql"), &[])
            .await?;
        let Ts(now) = row.get("now");
        Ok(now)
    }

    /// PostgreSQL's version, as it names itself.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when PostgreSQL does not answer.
    pub async fn server_version(&self) -> Result<String, StoreError> {
        let row = self
            .app
            .get()
            .await?
            .query_one(include_str!("connect/version.sql"), &[])
            .await?;
        Ok(row.get("version"))
    }

    async fn check_fitness(&self) -> Result<(), StoreError> {
        for pool in [&self.app, &self.sched] {
            let row = pool
                .get()
                .await?
                .query_one(include_str!("connect/fitness.sql"), &[])
                .await?;
            let complaint: Option<String> = row.get("complaint");
            if let Some(complaint) = complaint {
                return Err(StoreError::Unfit(complaint));
            }
        }
        Ok(())
    }
}

/// How long to wait after so many tries: random, or those who met would meet again.
fn pause(tries: u32) -> Duration {
    let random = RandomState::new().hash_one(tries) % 7_000;
    Duration::from_micros(u64::from(tries) * (3_500 + random))
}

/// With what every connection of ours has: a name, and an end when the other side is gone.
fn settled(config: &Config) -> Config {
    let mut config = config.clone();
    config
        .application_name("jobengine")
        .connect_timeout(CONNECTION_WAIT);
    config
        .keepalives_idle(Duration::from_secs(30))
        .tcp_user_timeout(Duration::from_secs(10));
    config
}

/// Whether every server stands on this machine, behind a Unix socket: then there is no TLS.
pub(crate) fn is_local(config: &Config) -> bool {
    let hosts = config.get_hosts();
    hosts.iter().all(|host| matches!(host, Host::Unix(_)))
}

fn pool(config: &Config, connections: usize) -> Result<Pool, StoreError> {
    let config = settled(config);
    let recycling = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = if is_local(&config) {
        Manager::from_config(config, NoTls, recycling)
    } else {
        Manager::from_config(config, tls::connector()?, recycling)
    };
    Pool::builder(manager)
        .max_size(connections)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(CONNECTION_WAIT))
        .create_timeout(Some(CONNECTION_WAIT))
        .recycle_timeout(Some(CONNECTION_WAIT))
        .build()
        .map_err(|error| StoreError::Unavailable(Box::new(error)))
}
