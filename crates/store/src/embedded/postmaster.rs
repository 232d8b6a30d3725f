//! The running server: spawned, watched, stopped.

use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::Options;
use super::account::Account;
use super::binaries::{Binaries, Version};
use super::error::EmbeddedError;
use super::layout::{Layout, Lock, Log, PORT, SocketDir};
use super::leash::{self, Leash};
use super::settings;

/// Fast shutdown with a checkpoint; without one; without a question.
const STOP_STEPS: [(Signal, Duration); 3] = [
    (Signal::SIGINT, Duration::from_secs(30)),
    (Signal::SIGQUIT, Duration::from_secs(5)),
    (Signal::SIGKILL, Duration::from_secs(5)),
];
const READY_POLL: Duration = Duration::from_millis(5);

/// How PostgreSQL ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code, unless a signal ended it. 0 after a shutdown that was asked for.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        Self {
            code: status.code(),
            signal: status.signal(),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exit code {code}"),
            (None, Some(signal)) => write!(f, "signal {signal}"),
            (None, None) => f.write_str("unknown end"),
        }
    }
}

/// A private PostgreSQL that runs, and the right to its data directory.
///
/// End it with [`Running::stop`]. Dropped without that, or with our process killed, it is told to shut down fast and
/// does so on its own.
#[derive(Debug)]
pub struct Running {
    pid: i32,
    version: Version,
    socket_dir: SocketDir,
    log: Log,
    exit: watch::Receiver<Option<Exit>>,
    /// Released last.
    _lock: Lock,
}

impl Running {
    /// Spawns `postgres` in the foreground and waits until it takes connections.
    pub(super) async fn start(
        options: &Options,
        layout: &Layout,
        binaries: &Binaries,
        account: &Account,
        lock: Lock,
    ) -> Result<Self, EmbeddedError> {
        let cluster = layout.cluster();
        let socket_dir = layout.make_socket_dir(account)?;
        let log = layout.open_log()?;
        let program = binaries.program("postgres");
        let mut command = leash::command(&program);
        command
            .arg("-D")
            .arg(&cluster)
            .args(settings::arguments(options, &socket_dir.path)?);
        account.dress(&mut command);
        let copy = || {
            log.file
                .try_clone()
                .map_err(EmbeddedError::system("open", &log.path))
        };
        command
            .current_dir(&cluster)
            .stdin(Stdio::piped())
            .stdout(copy()?)
            .stderr(copy()?);
        let child = command
            .spawn()
            .map_err(|source| account.spawn_error(&program, source))?;
        let pid = Pid::from_raw(child.id().cast_signed()).as_raw();
        let exit = watch_child(child).map_err(EmbeddedError::system("watch", &program))?;
        let running = Self {
            pid,
            version: binaries.version,
            socket_dir,
            log,
            exit,
            _lock: lock,
        };
        running.until_ready(&cluster, options.start_timeout).await?;
        Ok(running)
    }

    async fn until_ready(&self, cluster: &Path, patience: Duration) -> Result<(), EmbeddedError> {
        let pid_file = cluster.join("postmaster.pid");
        let give_up_at = Instant::now() + patience;
        loop {
            if std::fs::read_to_string(&pid_file).is_ok_and(|text| says_ready(&text, self.pid)) {
                return Ok(());
            }
            let ended = *self.exit.borrow();
            if let Some(exit) = ended {
                let (log, tail) = (self.log_path(), self.log.tail());
                return Err(EmbeddedError::StartFailed { exit, log, tail });
            }
            if Instant::now() >= give_up_at {
                let (log, tail) = (self.log_path(), self.log.tail());
                return Err(EmbeddedError::StartTimeout {
                    waited: patience,
                    log,
                    tail,
                });
            }
            sleep(READY_POLL).await;
        }
    }

    /// A connection configuration for one role and database; other options may be added to it.
    pub fn config(&self, user: &str, dbname: &str) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config
            .host_path(&self.socket_dir.path)
            .port(PORT)
            .user(user)
            .dbname(dbname);
        config
    }

    /// The same as `key='value'` text, as every PostgreSQL client takes it. There is no password in it.
    pub fn connect_string(&self, user: &str, dbname: &str) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"));
        let host = self.socket_dir.path.to_string_lossy();
        format!(
            "host={} port={PORT} user={} dbname={}",
            quoted(&host),
            quoted(user),
            quoted(dbname)
        )
    }

    /// The directory of the Unix socket; mode 0700.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir.path
    }

    /// The postmaster's process id.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The server's version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// What PostgreSQL logs to.
    pub fn log_path(&self) -> PathBuf {
        self.log.path.clone()
    }

    /// Whether the postmaster still runs.
    pub fn is_alive(&self) -> bool {
        self.exit.borrow().is_none()
    }

    /// Returns when PostgreSQL has ended, for whatever reason. To run it again, drop this value and start anew.
    pub async fn wait(&self) -> Exit {
        let mut exit = self.exit.clone();
        match exit.wait_for(Option::is_some).await {
            Ok(ended) => ended.unwrap_or(UNKNOWN),
            Err(_) => UNKNOWN,
        }
    }

    /// Shuts PostgreSQL down: open transactions are rolled back, a checkpoint is written, the data directory is free
    /// afterwards. If that takes over 30 s it is ended harder, which loses nothing but makes the next start recover.
    ///
    /// # Errors
    /// [`EmbeddedError::StopStuck`] when it outlives SIGKILL.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        for (signal, patience) in STOP_STEPS {
            if signal != Signal::SIGINT {
                tracing::warn!(pid = self.pid, %signal, "PostgreSQL does not stop; asking harder");
            }
            self.signal(signal);
            if timeout(patience, self.wait()).await.is_ok() {
                self.socket_dir.clean();
                return Ok(());
            }
        }
        Err(EmbeddedError::StopStuck { pid: self.pid })
    }

    fn signal(&self, signal: Signal) {
        // Once it has been reaped the id may be another process's.
        if self.is_alive() {
            let _ = kill(Pid::from_raw(self.pid), signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(Signal::SIGINT);
    }
}

/// When even the system cannot say how the child ended (somebody else reaped it).
const UNKNOWN: Exit = Exit {
    code: None,
    signal: None,
};

/// Reaps the child and keeps its leash, on a thread of its own: a server outlives the runtime it was started from,
/// as in tests, where each has its own.
fn watch_child(mut child: Child) -> std::io::Result<watch::Receiver<Option<Exit>>> {
    let leash = child.stdin.take().map(Leash::new);
    let (ended, exit) = watch::channel(None);
    std::thread::Builder::new()
        .name("postgres-watch".to_owned())
        .spawn(move || {
            // `wait` closes the child's standard input first; the leash was taken from there before.
            let status = child.wait();
            ended.send_replace(Some(status.map_or(UNKNOWN, Exit::from)));
            if let Some(leash) = leash {
                leash.release();
            }
        })?;
    Ok(exit)
}

/// `postmaster.pid`: line 1 is the process id, line 8 the state (source: PostgreSQL's `pidfile.h`).
fn says_ready(text: &str, pid: i32) -> bool {
    let mut lines = text.lines();
    lines
        .next()
        .is_some_and(|line| line.trim() == pid.to_string())
        && lines.nth(6).is_some_and(|line| line.trim() == "ready")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_postmasters_ready_line_counts() {
        let file =
            |state: &str| format!("42\n/data\n1700000000\n5432\n/data/socket\n\n  1  2\n{state}\n");
        assert!(says_ready(&file("ready   "), 42));
        assert!(!says_ready(&file("ready   "), 43));
        assert!(!says_ready(&file("starting"), 42));
        assert!(!says_ready("42\n/data\n", 42));
    }
}
