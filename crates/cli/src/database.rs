//! Which PostgreSQL: the private one in the data directory, or the one that `DATABASE_URL` names.

use std::str::FromStr as _;

use anyhow::{Context as _, bail};
use jobengine_store::embedded::{Cluster, Options, Running, SUPERUSER};
use jobengine_store::{
    DatabaseConfig, InsertProbe, Store, database_create, migrate, settle, wal_bytes,
};

use crate::data_dir::DataDir;

/// Connections for tenants' work, unless said otherwise.
pub(crate) const CONNECTIONS: u16 = 8;
/// The database inside the private PostgreSQL.
const NAME: &str = "jobengine";

/// A ledger that is open, and the private PostgreSQL under it, if it is one.
pub(crate) struct Database {
    pub(crate) store: Store,
    pub(crate) embedded: Option<Running>,
}

impl Database {
    /// Opens the ledger: with `DATABASE_URL` in the environment that one, else the private one,
    /// which is started and brought up to date.
    pub(crate) async fn open(data_dir: &DataDir) -> anyhow::Result<Self> {
        Self::open_with(data_dir, CONNECTIONS).await
    }

    /// The same with so many connections for tenants' work.
    pub(crate) async fn open_with(data_dir: &DataDir, connections: u16) -> anyhow::Result<Self> {
        match from_env("DATABASE_URL")? {
            Some(app) => Self::external(app, connections).await,
            None => Self::embedded(data_dir, connections).await,
        }
    }

    /// Starts the private PostgreSQL and opens the ledger in it.
    pub(crate) async fn embedded(data_dir: &DataDir, connections: u16) -> anyhow::Result<Self> {
        let options = Options::new(data_dir.postgres());
        let running = Cluster::start(&options).await?;
        database_create(&running.config(SUPERUSER, "postgres"), NAME).await?;
        migrate(&running.config(SUPERUSER, NAME)).await?;
        let store = Store::open(
            &running.config("orch_app", NAME),
            &running.config("orch_sched", NAME),
            connections.into(),
        )
        .await?;
        Ok(Self {
            store,
            embedded: Some(running),
        })
    }

    async fn external(app: DatabaseConfig, connections: u16) -> anyhow::Result<Self> {
        let sched = if let Some(sched) = from_env("DATABASE_SCHED_URL")? {
            sched
        } else {
            let mut sched = app.clone();
            sched.user("orch_sched");
            sched
        };
        let store = Store::open(&app, &sched, connections.into()).await?;
        Ok(Self {
            store,
            embedded: None,
        })
    }

    /// Bytes of write-ahead log written so far, by the whole PostgreSQL.
    /// The database that `DATABASE_URL` names, if it names one; changes nothing there.
    pub(crate) async fn look_external() -> anyhow::Result<Option<Self>> {
        match from_env("DATABASE_URL")? {
            Some(app) => Ok(Some(Self::external(app, CONNECTIONS).await?)),
            None => Ok(None),
        }
    }

    pub(crate) async fn wal_bytes(&self) -> anyhow::Result<u64> {
        Ok(wal_bytes(&self.superuser()?).await?)
    }

    /// Has PostgreSQL do at once what follows in its own time from much that was written.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        Ok(settle(&self.superuser()?).await?)
    }

    /// The yardstick of the benchmarks, over so many connections.
    pub(crate) async fn insert_probe(&self, connections: usize) -> anyhow::Result<InsertProbe> {
        Ok(InsertProbe::open(&self.superuser()?, connections).await?)
    }

    fn superuser(&self) -> anyhow::Result<DatabaseConfig> {
        let running = self.embedded.as_ref();
        let running = running.context("only a private PostgreSQL is measured")?;
        Ok(running.config(SUPERUSER, NAME))
    }

    /// Stops the private PostgreSQL, if it is one.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        drop(self.store);
        match self.embedded {
            Some(running) => Ok(running.stop().await?),
            None => Ok(()),
        }
    }
}

/// Runs the missing migrations on the database that `DATABASE_ADMIN_URL` (else `DATABASE_URL`)
/// names. Returns the names of those that ran.
pub(crate) async fn migrate_external() -> anyhow::Result<Option<Vec<String>>> {
    let admin = match from_env("DATABASE_ADMIN_URL")? {
        Some(admin) => Some(admin),
        None => from_env("DATABASE_URL")?,
    };
    match admin {
        Some(admin) => Ok(Some(migrate(&admin).await?)),
        None => Ok(None),
    }
}

/// Reads a connection string from `NAME`, or from the file that `NAME_FILE` names.
fn from_env(name: &str) -> anyhow::Result<Option<DatabaseConfig>> {
    let text = match (std::env::var(name), std::env::var(format!("{name}_FILE"))) {
        (Ok(_), Ok(_)) => bail!("{name} and {name}_FILE are both set: keep one"),
        (Ok(text), Err(_)) => text,
        (Err(_), Ok(path)) => std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {path}, which {name}_FILE names"))?,
        (Err(_), Err(_)) => return Ok(None),
    };
    // The text may hold a password: it is not shown.
    let config = DatabaseConfig::from_str(text.trim())
        .with_context(|| format!("{name} is not a PostgreSQL connection string"))?;
    Ok(Some(config))
}
