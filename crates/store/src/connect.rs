//! Connections to the ledger: one pool for tenants' work, a small one for finding work that is due.

use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use jobengine_domain::caller::Caller;
use jobengine_domain::time::Timestamp;
use jobengine_telemetry::Registry;
use jobengine_telemetry::trace::Traces;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, NoTls, config::Host};

use crate::caller::{BEGIN_READING, Held, Tx};
use crate::error::StoreError;
use crate::migrate::schema_version;
use crate::observe::Observer;
use crate::reach::{Reach, Watched};
use crate::share::Shares;
use crate::testing::TestClock;
use crate::tls;
use crate::ts::Ts;

/// The ledger in PostgreSQL. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    app: Pool,
    sched: Pool,
    /// For the one connection that stands outside the pools.
    app_config: Arc<Config>,
    reach: Reach,
    shares: Arc<Shares>,
    observer: Observer,
    /// Counts the commits of this process that wrote events.
    commits: watch::Sender<u64>,
    /// Set by tests alone.
    clock: Option<TestClock>,
}

/// How long a transaction waits for a lock that somebody holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockWait {
    /// As long as the role says, 2 s: it waits for itself alone.
    Usual,
    /// 500 ms: others are in the same transaction, or behind it.
    Short,
    /// 50 ms: one of many that come in turn.
    Least,
}

impl LockWait {
    const fn begin(self) -> &'static str {
        match self {
            Self::Usual => "BEGIN",
            Self::Short => "BEGIN; SET LOCAL lock_timeout = '500ms'",
            Self::Least => "BEGIN; SET LOCAL lock_timeout = '50ms'",
        }
    }
}

/// How often a transaction that met another one is tried.
const CONFLICT_TRIES: u32 = 5;
/// No further try begins after that.
const CONFLICT_TIME: Duration = Duration::from_secs(1);
/// A caller waits this long for a connection that others have before it hears that there is too much to do.
/// Longer than a lock is waited for: a crowd before one lock costs its neighbours time, not their answers.
/// When PostgreSQL is away, nobody waits that long (`reach.rs`).
const PLACE_WAIT: Duration = Duration::from_secs(3);
/// So long PostgreSQL may take to take a new connection.
const CONNECT_WAIT: Duration = Duration::from_millis(1_500);

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
        let app_config = Arc::new(settled(app));
        let (app, sched) = (pool(app, connections)?, pool(sched, 2)?);
        let store = Self {
            reach: Reach::watch(&app_config, vec![app.clone(), sched.clone()])?,
            shares: Arc::new(Shares::of(connections)),
            app,
            sched,
            app_config,
            observer: Observer::new(&Registry::new(), Traces::default()),
            commits: watch::Sender::new(0),
            clock: None,
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

    /// Takes the time of its transactions from a test's clock, as do its clones made from now on.
    #[must_use]
    pub fn with_clock(mut self, clock: TestClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Opens a transaction for a caller: its tenant is bound, its clock is read once.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when all connections are in use for 3 s, [`StoreError::Unavailable`] when
    /// PostgreSQL does not answer.
    pub async fn begin(&self, caller: &Caller) -> Result<Tx, StoreError> {
        self.open_tx(caller, LockWait::Usual.begin()).await
    }

    /// As [`Store::begin`], for one that waits for locks in another way.
    ///
    /// # Errors
    /// As [`Store::begin`].
    pub async fn begin_waiting(&self, caller: &Caller, locks: LockWait) -> Result<Tx, StoreError> {
        self.open_tx(caller, locks.begin()).await
    }

    /// Opens a transaction that can only read.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when all connections are in use for 3 s, [`StoreError::Unavailable`] when
    /// PostgreSQL does not answer.
    pub async fn read(&self, caller: &Caller) -> Result<Tx, StoreError> {
        self.open_tx(caller, BEGIN_READING).await
    }

    async fn open_tx(&self, caller: &Caller, begin: &'static str) -> Result<Tx, StoreError> {
        let asked = Instant::now();
        let share = timeout(PLACE_WAIT, self.shares.take(caller.tenant));
        let share = self.reach.wait(share).await?;
        let connection = self.reach.wait(self.app.get()).await?;
        self.observer.connected("app", asked.elapsed());
        let held = Held {
            share,
            reach: self.reach.clone(),
            commits: self.commits.clone(),
            clock: self.clock.as_ref().map(TestClock::now),
        };
        Tx::open(connection, caller, &self.observer, begin, held).await
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
    pub(crate) async fn sched(&self) -> Result<Watched, StoreError> {
        let asked = Instant::now();
        let connection = self.watched(&self.sched).await?;
        self.observer.connected("sched", asked.elapsed());
        Ok(connection)
    }

    async fn watched(&self, pool: &Pool) -> Result<Watched, StoreError> {
        let connection = self.reach.wait(pool.get()).await?;
        Ok(Watched::new(connection, self.reach.clone()))
    }

    /// Runs `work` again, up to five times and within a second, while it ends in [`StoreError::Conflict`].
    /// Not after a lock that was waited for in vain: that was the wait.
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
                Err(StoreError::Conflict(error))
                    if began.elapsed() < CONFLICT_TIME && !is_locked(&error) =>
                {
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
            .watched(&self.app)
            .await?
            .query_one(include_str!("connect/schema.sql"), &[])
            .await?;
        let (found, needed) = (row.get::<_, i32>("version"), schema_version());
        Ok((found < needed).then(|| {
            format!("the schema is at version {found}, this program needs {needed}: run `jobengine migrate`")
        }))
    }

    /// What a test says the time is.
    pub(crate) fn test_time(&self) -> Option<Timestamp> {
        self.clock.as_ref().map(TestClock::now)
    }

    /// The database's clock: for what is drawn outside a transaction.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when PostgreSQL does not answer.
    pub async fn now(&self) -> Result<Timestamp, StoreError> {
        if let Some(clock) = &self.clock {
            return Ok(clock.now());
        }
        let row = self
            .watched(&self.app)
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
            .watched(&self.app)
            .await?
            .query_one(include_str!("connect/version.sql"), &[])
            .await?;
        Ok(row.get("version"))
    }

    async fn check_fitness(&self) -> Result<(), StoreError> {
        for pool in [&self.app, &self.sched] {
            let row = self
                .watched(pool)
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

fn is_locked(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
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
        .connect_timeout(CONNECT_WAIT);
    // A quiet server is asked after 10 s, and given up 5 s later; what was sent just before that has 10 s more.
    config
        .keepalives(true)
        .keepalives_idle(Duration::from_secs(10))
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(1)
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
        .wait_timeout(Some(PLACE_WAIT))
        .create_timeout(Some(CONNECT_WAIT))
        .recycle_timeout(Some(CONNECT_WAIT))
        .build()
        .map_err(|error| StoreError::Unavailable(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_server_is_given_up_within_half_a_minute() {
        let text = "host=db keepalives=0 keepalives_idle=7200 tcp_user_timeout=0";
        for config in [Config::new(), text.parse().unwrap()] {
            let config = settled(&config);
            assert!(config.get_keepalives());
            let unacknowledged = *config.get_tcp_user_timeout().unwrap();
            assert_eq!(unacknowledged, Duration::from_secs(10));
            let probed = config.get_keepalives_idle() + config.get_keepalives_interval().unwrap();
            assert!(
                probed >= unacknowledged,
                "the probes end when the system looks"
            );
            assert!(probed + unacknowledged < Duration::from_secs(30));
        }
    }
}
