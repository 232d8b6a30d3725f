//! The data directory: what lies where, who holds it, and where the socket goes.
//!
//! ```text
//! <data_dir>/            ours; the account PostgreSQL runs as may enter it
//!   lock                 held (flock) by the one process that runs this cluster; holds its process id
//!   postgres.log(.1)     what PostgreSQL says, and what it said before
//!   pgdata/              the cluster, PostgreSQL's
//!   socket/              0700, PostgreSQL's; elsewhere when this path is too long or odd for a socket
//! ```

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::unistd::geteuid;

use super::account::Account;
use super::error::EmbeddedError;

/// Names the socket file; no TCP port is opened.
pub(super) const PORT: u16 = 5432;
/// `sun_path` on Linux has 108 bytes with the closing NUL. (macOS has 104, but its temporary directory is shorter.)
const SOCKET_PATH_MAX_BYTES: usize = 107;
/// A log above this size is set aside when PostgreSQL starts; one older file is kept.
const LOG_MAX_BYTES: u64 = 4 << 20;
/// How much of the log goes into an error.
const LOG_TAIL_BYTES: u64 = 4 << 10;
/// How long a lock may stay after its holder was killed: a child it was just spawning keeps it until `exec`.
pub(super) const LOCK_PATIENCE: Duration = Duration::from_millis(500);
const LOCK_POLL: Duration = Duration::from_millis(20);

/// The paths of one data directory; absolute, without links.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) data_dir: PathBuf,
}

impl Layout {
    /// Makes the data directory, 0700, if it does not exist. Missing parents are made as `mkdir` would.
    pub(super) fn open(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let make = || {
            let path = std::path::absolute(data_dir)?;
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
                Ok(()) | Err(_) => std::fs::canonicalize(&path),
            }
        };
        let data_dir = make().map_err(EmbeddedError::system("create", data_dir))?;
        Ok(Self { data_dir })
    }

    /// The paths of a data directory that may not be there.
    pub(super) fn of(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let path = std::fs::canonicalize(data_dir).or_else(|_| std::path::absolute(data_dir));
        let data_dir = path.map_err(EmbeddedError::system("find", data_dir))?;
        Ok(Self { data_dir })
    }

    /// The process that holds the data directory, without taking it.
    pub(super) fn holder(&self) -> Result<Option<String>, EmbeddedError> {
        let path = self.data_dir.join("lock");
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(EmbeddedError::system("open", &path))?,
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(named(&mut file))),
            Err(TryLockError::Error(source)) => Err(EmbeddedError::system("lock", &path)(source)),
        }
    }

    /// The cluster.
    pub(super) fn cluster(&self) -> PathBuf {
        self.data_dir.join("pgdata")
    }

    /// A cluster in the making; renamed when complete, so that a cluster that exists is a whole one.
    pub(super) fn unfinished_cluster(&self) -> PathBuf {
        self.data_dir.join("pgdata.unfinished")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.data_dir.join("postgres.log")
    }

    /// Opens the log for this start: a long one is set aside first.
    pub(super) fn open_log(&self) -> Result<Log, EmbeddedError> {
        let path = self.log();
        let open = || {
            if std::fs::metadata(&path).is_ok_and(|meta| meta.len() > LOG_MAX_BYTES) {
                std::fs::rename(&path, self.data_dir.join("postgres.log.1"))?;
            }
            let file = private_file(&path, OpenOptions::new().append(true))?;
            Ok(Log {
                start: file.metadata()?.len(),
                file,
                path: path.clone(),
            })
        };
        open().map_err(EmbeddedError::system("open", &path))
    }

    /// Takes the data directory for this process.
    ///
    /// # Errors
    /// [`EmbeddedError::InUse`] when another process, or another part of this one, holds it.
    pub(super) async fn lock(&self, patience: Duration) -> Result<Lock, EmbeddedError> {
        let path = self.data_dir.join("lock");
        let mut file = private_file(&path, OpenOptions::new().read(true).write(true))
            .map_err(EmbeddedError::system("open", &path))?;
        let give_up_at = tokio::time::Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if tokio::time::Instant::now() < give_up_at => {
                    tokio::time::sleep(LOCK_POLL).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(EmbeddedError::InUse {
                        data_dir: self.data_dir.clone(),
                        holder: named(&mut file),
                    });
                }
                Err(TryLockError::Error(source)) => {
                    return Err(EmbeddedError::system("lock", &path)(source));
                }
            }
        }
        let write = file
            .set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        write.map_err(EmbeddedError::system("write", &path))?;
        Ok(Lock(file))
    }

    /// An empty private directory for the socket: in the data directory, or where paths are shorter.
    pub(super) fn make_socket_dir(&self, account: &Account) -> Result<SocketDir, EmbeddedError> {
        let own = self.data_dir.join("socket");
        if socket_fits(&own) {
            match std::fs::remove_dir_all(&own) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(EmbeddedError::system("clear", &own)(error));
                }
                Ok(()) | Err(_) => {}
            }
            DirBuilder::new()
                .mode(0o700)
                .create(&own)
                .map_err(EmbeddedError::system("create", &own))?;
            account.own(&own)?;
            return Ok(SocketDir {
                path: own,
                remote: false,
            });
        }
        let name = {
            let meta = std::fs::metadata(&self.data_dir)
                .map_err(EmbeddedError::system("read", &self.data_dir))?;
            // The same directory has the same name at each start, so that nothing is left behind after a crash.
            format!("jobengine-{:x}-{:x}", meta.dev(), meta.ino())
        };
        short_places(account)
            .into_iter()
            .map(|place| place.join(&name))
            .find(|path| socket_fits(path) && make_private(path, account))
            .map(|path| SocketDir { path, remote: true })
            .ok_or_else(|| EmbeddedError::NoSocketDir {
                data_dir: self.data_dir.clone(),
            })
    }
}

/// Where the socket is.
#[derive(Debug)]
pub(super) struct SocketDir {
    pub(super) path: PathBuf,
    remote: bool,
}

impl SocketDir {
    /// Removes a directory outside of the data directory, after PostgreSQL has removed its files in it.
    pub(super) fn clean(&self) {
        if self.remote {
            // It is empty and reused by name: nothing is lost if it stays.
            let _ = std::fs::remove_dir(&self.path);
        }
    }
}

/// Holds the data directory until dropped.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Said outright, because a child being spawned at this moment keeps the file open until its `exec`.
        let _ = self.0.unlock();
    }
}

/// The log of one start.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) file: File,
    pub(super) path: PathBuf,
    start: u64,
}

impl Log {
    /// The last lines that PostgreSQL wrote since this start.
    pub(super) fn tail(&self) -> String {
        let read = || -> std::io::Result<String> {
            let mut file = File::open(&self.path)?;
            let from = self
                .start
                .max(file.metadata()?.len().saturating_sub(LOG_TAIL_BYTES));
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            file.take(LOG_TAIL_BYTES).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
        };
        match read() {
            Ok(text) if text.is_empty() => "(the log has no line of this start)".to_owned(),
            Ok(text) => text,
            Err(error) => format!("(the log cannot be read: {error})"),
        }
    }
}

/// Opens or makes a file that only we may read. A link in its place is refused: the data directory may belong to an
/// ordinary user while we are root.
/// The process that a lock file names. The id is a help for the reader; without it the message still stands.
fn named(lock: &mut File) -> String {
    let mut holder = String::new();
    let _ = lock.read_to_string(&mut holder);
    let holder = holder.trim();
    if holder.is_empty() { "?" } else { holder }.to_owned()
}

fn private_file(path: &Path, options: &mut OpenOptions) -> std::io::Result<File> {
    options
        .create(true)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)
}

/// Whether a socket in `dir` can be named: by the system, and in a connection string, where a comma parts two hosts.
fn socket_fits(dir: &Path) -> bool {
    let file = dir.join(format!(".s.PGSQL.{PORT}"));
    file.as_os_str().as_bytes().len() <= SOCKET_PATH_MAX_BYTES
        && file.to_str().is_some_and(|path| !path.contains(','))
}

/// Directories with short paths that can hold a private one: a user's own runtime directory, root's, a temporary one.
fn short_places(account: &Account) -> Vec<PathBuf> {
    let runtime = match account {
        Account::Own => std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from),
        Account::Other { .. } => Some(PathBuf::from("/run")),
    };
    let places = runtime
        .into_iter()
        .chain([std::env::temp_dir(), PathBuf::from("/tmp")]);
    places
        .filter(|place| place.is_absolute() && place.is_dir())
        .collect()
}

/// Makes `path` a directory that only the account can enter. False when it cannot be, or when somebody else was there
/// first: a place like /tmp is open to all.
fn make_private(path: &Path, account: &Account) -> bool {
    if DirBuilder::new().mode(0o700).create(path).is_err() {
        let Ok(meta) = std::fs::symlink_metadata(path) else {
            return false;
        };
        let trusted = [geteuid().as_raw(), account.uid()].contains(&meta.uid());
        if !(meta.is_dir() && trusted && meta.mode() & 0o777 == 0o700) {
            return false;
        }
    }
    // Socket files of a crashed run would be taken for a running server's if their process id were in use again.
    for name in [format!(".s.PGSQL.{PORT}"), format!(".s.PGSQL.{PORT}.lock")] {
        let _ = std::fs::remove_file(path.join(name));
    }
    account.own(path).is_ok() && account.ensure_reach(path, &[]).is_ok()
}
