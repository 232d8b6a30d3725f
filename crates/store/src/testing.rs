//! Databases for tests: one PostgreSQL a test process, migrated once into a template, one clone of it a test.
//!
//! Used by the tests of every crate above the store. It panics instead of returning errors: a test without its
//! database has nothing to decide.
//!
//! ```no_run
//! # async fn example() {
//! use jobengine_store::testing::TestDatabase;
//! let database = TestDatabase::create().await;
//! let (client, connection) = database.app_config().connect(tokio_postgres::NoTls).await.expect("connects");
//! # drop((client, connection));
//! # }
//! ```
//!
//! The server ends with the test process, however that ends. Its directory is removed by a small shell that waits for
//! this; should that have been killed too, the next test process sweeps it up.

use std::future::Future;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jobengine_domain::time::Timestamp;
use tokio::sync::{OnceCell, mpsc};
use tokio_postgres::{Config, NoTls};

use crate::embedded::{Cluster, Options, Running, SUPERUSER};

const DIR_PREFIX: &str = "jobengine-test-";
const TEMPLATE: &str = "jobengine_template";
/// Tests run in parallel and each may hold a pool.
const MAX_CONNECTIONS: u32 = 300;
/// A younger directory may be one that its process has not locked yet.
const SWEEP_AGE: Duration = Duration::from_mins(1);

/// Waits for the end of this process, then for that of PostgreSQL (at most 20 s), and removes the directory.
const JANITOR: &str = r#"trap '' HUP INT TERM
read -r never
tries=0
while [ $tries -lt 200 ] && read -r pid <"$1/pgdata/postmaster.pid" && kill -0 "$pid"; do
  sleep 0.1
  tries=$((tries + 1))
done
rm -rf -- "$1""#;

static SERVER: OnceCell<Running> = OnceCell::const_new();
static MIGRATED: OnceCell<()> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(1);

/// A clock that a test sets: the one of all transactions of the stores that were given it. Cheap to clone; all
/// clones are one clock.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    /// Stands at a moment, and moves only when it is told to.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.as_micros())))
    }

    /// The moment it shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }

    /// Moves it, forwards or back, by milliseconds.
    pub fn step_ms(&self, by: i64) {
        self.0.fetch_add(by.saturating_mul(1_000), Ordering::SeqCst);
    }
}

/// A database of its own for one test; dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    server: &'static Running,
}

impl TestDatabase {
    /// A database without tables or service roles, for tests of the migrations themselves.
    pub async fn empty() -> Self {
        let server = server().await;
        Self::clone_of("template0", server).await
    }

    /// Brings an empty database to an older version of the schema, for tests of what comes after it.
    pub async fn migrate_to(&self, version: i32) {
        let target = refinery::Target::Version(version);
        let migrated = crate::migrate::migrate_to(&self.super_config(), target).await;
        if let Err(error) = migrated {
            panic!("the schema cannot be made: {error}");
        }
    }

    /// A database with the ledger's schema.
    pub async fn create() -> Self {
        Self::create_with(async |config| crate::migrate(&config).await.map(drop)).await
    }

    /// The store over this database, as the service opens it.
    pub async fn store(&self) -> crate::Store {
        let opened = crate::Store::open(&self.app_config(), &self.sched_config(), 8).await;
        match opened {
            Ok(store) => store,
            Err(error) => panic!("the store cannot be opened: {error}"),
        }
    }

    /// A clone of a database that `migrate` has prepared, as superuser, once in this process: all
    /// tests of a binary share the template of the first call.
    pub async fn create_with<F, Fut, E>(migrate: F) -> Self
    where
        F: FnOnce(Config) -> Fut,
        Fut: Future<Output = Result<(), E>>,
        E: std::fmt::Display,
    {
        let server = server().await;
        MIGRATED
            .get_or_init(|| async {
                // A first test may have failed half-way here and left one behind.
                admin(
                    server,
                    &format!("DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)"),
                )
                .await;
                admin(
                    server,
                    &format!("CREATE DATABASE {TEMPLATE} TEMPLATE template0"),
                )
                .await;
                if let Err(error) = migrate(server.config(SUPERUSER, TEMPLATE)).await {
                    panic!("the template database cannot be migrated: {error}");
                }
                // A connection to a template keeps it from being cloned: end those of the migration, let in no more.
                admin(
                    server,
                    &format!("ALTER DATABASE {TEMPLATE} ALLOW_CONNECTIONS false"),
                )
                .await;
                let end =
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = ";
                admin(server, &format!("{end}'{TEMPLATE}'")).await;
            })
            .await;
        Self::clone_of(TEMPLATE, server).await
    }

    /// Copies files instead of logging each page: without `fsync` the checkpoints that takes are cheap.
    async fn clone_of(template: &str, server: &'static Running) -> Self {
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        admin(
            server,
            &format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"),
        )
        .await;
        Self { name, server }
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As the service sees it: bound by row-level security.
    pub fn app_config(&self) -> Config {
        self.server.config("orch_app", &self.name)
    }

    /// As the cross-tenant duties see it.
    pub fn sched_config(&self) -> Config {
        self.server.config("orch_sched", &self.name)
    }

    /// As the superuser, for preparing and looking; never for the code under test.
    pub fn super_config(&self) -> Config {
        self.server.config(SUPERUSER, &self.name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // Only a full disk is at stake if the thread is gone: the server's directory is removed at the end.
        let _ = dropper(self.server).send(std::mem::take(&mut self.name));
    }
}

async fn server() -> &'static Running {
    SERVER
        .get_or_init(|| async {
            sweep().await;
            let dir = tempfile::Builder::new()
                .prefix(DIR_PREFIX)
                .tempdir()
                .expect("the temporary directory is writable")
                .keep();
            set_janitor(&dir);
            let mut options = Options::new(dir);
            options.fsync = false;
            options.max_connections = MAX_CONNECTIONS;
            // Nothing of this data is ever recovered.
            for (name, value) in [
                ("checkpoint_timeout", "1h"),
                ("wal_level", "minimal"),
                ("max_wal_senders", "0"),
            ] {
                options.settings.insert(name.to_owned(), value.to_owned());
            }
            match Cluster::start(&options).await {
                Ok(running) => running,
                Err(error) => panic!("no PostgreSQL for the tests: {error}"),
            }
        })
        .await
}

/// Runs one statement on a connection of its own: a shared one would end with the runtime of the test that made it.
async fn admin(server: &Running, sql: &str) {
    if let Err(error) = try_admin(&server.config(SUPERUSER, "postgres"), sql).await {
        panic!("{sql}: {error:?}");
    }
}

async fn try_admin(config: &Config, sql: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    let run = async move { client.batch_execute(sql).await };
    let (ran, connected) = tokio::join!(run, connection);
    ran.and(connected)
}

/// A thread that drops databases, because a value's end cannot wait for the server.
fn dropper(server: &'static Running) -> &'static mpsc::UnboundedSender<String> {
    static DROPPER: OnceLock<mpsc::UnboundedSender<String>> = OnceLock::new();
    DROPPER.get_or_init(|| {
        let (sender, mut names) = mpsc::unbounded_channel::<String>();
        let config = server.config(SUPERUSER, "postgres");
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let drop_all = async {
                while let Some(name) = names.recv().await {
                    let _ = try_admin(
                        &config,
                        &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
                    )
                    .await;
                }
            };
            runtime
                .expect("a runtime for dropping test databases")
                .block_on(drop_all);
        });
        sender
    })
}

/// Sees to it that the directory goes when this process has gone.
fn set_janitor(dir: &Path) {
    let child = Command::new("/bin/sh")
        .args(["-c", JANITOR, "jobengine-janitor"])
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("/bin/sh runs");
    // Never closed by us: the system does it when the process ends.
    std::mem::forget(child);
}

/// Removes what test processes left whose janitor was killed with them.
async fn sweep() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else {
        return;
    };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(DIR_PREFIX);
        let age = entry
            .metadata()
            .and_then(|meta| meta.modified())
            .ok()
            .and_then(|time| time.elapsed().ok());
        if ours && age.is_some_and(|age| age > SWEEP_AGE) {
            let dir: PathBuf = entry.path();
            // In use, or another user's: then it is not for us to remove.
            let _ = Cluster::discard(&dir).await;
        }
    }
}
