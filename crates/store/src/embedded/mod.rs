//! A private PostgreSQL for those who do not bring one: the system's own server programs on a data directory of ours.
//!
//! It listens on a Unix socket in a 0700 directory and nowhere else; runs as an ordinary user also when root starts
//! us; ends when our process ends, even by SIGKILL; and starts again on the same data after any crash of either side.
//! It is durable: `fsync` is on unless a test turns it off.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use jobengine_store::embedded::{Cluster, Options, SUPERUSER};
//! let server = Cluster::start(&Options::new("/var/lib/jobengine/postgres")).await?;
//! let (client, connection) = server.config(SUPERUSER, "postgres").connect(tokio_postgres::NoTls).await?;
//! # drop((client, connection));
//! server.stop().await?;
//! # Ok(())
//! # }
//! ```

mod account;
mod binaries;
mod cluster;
mod error;
mod layout;
mod leash;
mod orphan;
mod postmaster;
mod settings;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use binaries::{Binaries, OLDEST_MAJOR, Version};
pub use cluster::SUPERUSER;
pub use error::EmbeddedError;
pub use postmaster::{Exit, Running};

use account::Account;
use layout::{LOCK_PATIENCE, Layout};

/// What to run, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory for the cluster, its log and its socket. Made if it is missing; best used for nothing else.
    pub data_dir: PathBuf,
    /// The folder with `postgres` and `initdb`; `None` to search for it.
    pub bin_dir: Option<PathBuf>,
    /// Whether a commit survives a power cut. Turned off only for data that is thrown away, as in tests.
    pub fsync: bool,
    /// Memory for the server's page cache, in MB.
    pub shared_buffers_mb: u32,
    /// Most connections at a time.
    pub max_connections: u32,
    /// Further settings by name; they win over the defaults, but cannot open the server to the network.
    pub settings: BTreeMap<String, String>,
    /// How long a start may take, with the recovery after a crash.
    pub start_timeout: Duration,
}

impl Options {
    /// The defaults: durable, 128 MB of page cache, 60 connections, two minutes to start.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            bin_dir: None,
            fsync: true,
            shared_buffers_mb: 128,
            max_connections: 60,
            settings: BTreeMap::new(),
            start_timeout: Duration::from_mins(2),
        }
    }
}

/// What is found on a data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No cluster: the first start makes one.
    Absent,
    /// A cluster that nothing runs.
    Stopped {
        /// The installed server that would run it.
        version: Version,
    },
    /// A process holds it.
    Held {
        /// Its id, or `?`.
        holder: String,
    },
}

/// A PostgreSQL cluster on a data directory of ours.
#[derive(Debug)]
pub struct Cluster;

impl Cluster {
    /// Starts PostgreSQL on the data directory, making a new cluster if there is none, and returns when it takes
    /// connections. Whatever a crashed run left behind (a postmaster, servers, a stale `postmaster.pid`) is cleared
    /// away first.
    ///
    /// # Errors
    /// [`EmbeddedError`]; the data is untouched by every one of them.
    pub async fn start(options: &Options) -> Result<Running, EmbeddedError> {
        let layout = Layout::open(&options.data_dir)?;
        let lock = layout.lock(LOCK_PATIENCE).await?;
        let account = Account::choose(&layout.data_dir, &layout.cluster())?;
        let data_major = cluster::major(&layout)?;
        let installed = match &options.bin_dir {
            Some(dir) => vec![Binaries::at(dir)?],
            None => Binaries::installed(),
        };
        let binaries = binaries::choose(installed, &layout.data_dir, data_major.as_deref())?;
        account.ensure_reach(
            &layout.data_dir,
            &[binaries.program("postgres"), binaries.program("initdb")],
        )?;
        if data_major.is_none() {
            cluster::create(&layout, &binaries, &account, options.fsync).await?;
        }
        orphan::evict(&layout.data_dir, &layout.cluster()).await?;
        Running::start(options, &layout, &binaries, &account, lock).await
    }

    /// Looks at a data directory, and changes nothing: neither the directory nor what runs on it.
    ///
    /// # Errors
    /// [`EmbeddedError`] where [`Cluster::start`] would be refused: no server is installed or none of the version that made
    /// the data, the data belongs to somebody else, or is damaged.
    pub fn look(data_dir: &Path) -> Result<Standing, EmbeddedError> {
        let layout = Layout::of(data_dir)?;
        if let Some(holder) = layout.holder()? {
            return Ok(Standing::Held { holder });
        }
        Account::choose(&layout.data_dir, &layout.cluster())?;
        let data_major = cluster::major(&layout)?;
        let installed = Binaries::installed();
        let binaries = binaries::choose(installed, &layout.data_dir, data_major.as_deref())?;
        Ok(match data_major {
            None => Standing::Absent,
            Some(_) => Standing::Stopped {
                version: binaries.version,
            },
        })
    }

    /// Ends whatever still runs on a data directory that no process of ours holds, and removes the directory.
    ///
    /// # Errors
    /// [`EmbeddedError::InUse`] when it is held; [`EmbeddedError::OrphanStuck`] and [`EmbeddedError::System`].
    pub async fn discard(data_dir: &Path) -> Result<(), EmbeddedError> {
        let layout = Layout::open(data_dir)?;
        let _lock = layout.lock(Duration::ZERO).await?;
        orphan::evict(&layout.data_dir, &layout.cluster()).await?;
        std::fs::remove_dir_all(&layout.data_dir)
            .map_err(EmbeddedError::system("remove", &layout.data_dir))
    }
}
