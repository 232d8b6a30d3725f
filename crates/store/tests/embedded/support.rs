//! What every test here needs: a directory, a query, a look at the process table.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use jobengine_store::embedded::{Options, Running, SUPERUSER};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A directory that is ours alone, as `mktemp -d` makes it.
pub(crate) fn private_dir() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), Permissions::from_mode(0o700)).unwrap();
    dir
}

pub(crate) fn fresh() -> (TempDir, Options) {
    let dir = private_dir();
    let mut options = Options::new(dir.path());
    options.fsync = false;
    (dir, options)
}

pub(crate) async fn run(server: &Running, sql: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = server.config(SUPERUSER, "postgres").connect(NoTls).await?;
    let work = async move { client.batch_execute(sql).await };
    tokio::join!(work, connection).0
}

pub(crate) async fn text(server: &Running, sql: &str) -> String {
    let url = server.connect_string(SUPERUSER, "postgres");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let work = async move { client.query_one(sql, &[]).await.unwrap().get(0) };
    tokio::join!(work, connection).0
}

pub(crate) fn send(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).unwrap();
}

pub(crate) fn lives(pid: i32) -> bool {
    // A zombie has a stat file but no working directory.
    std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok()
}

/// Waits until `done`, and says how long that took.
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
    start.elapsed()
}

pub(crate) fn children_of(parent: i32) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        fields.split_whitespace().nth(1) == Some(&parent.to_string())
    })
    .collect()
}

pub(crate) fn program(pid: i32) -> String {
    let exe = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    exe.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The user PostgreSQL runs as when we are root.
pub(crate) fn unprivileged() -> nix::unistd::User {
    nix::unistd::User::from_name("postgres")
        .unwrap()
        .expect("a PostgreSQL package makes this user")
}
