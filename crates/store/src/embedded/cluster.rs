//! Makes a cluster with `initdb`, and tells which version made one.

use std::fs::{DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::account::Account;
use super::binaries::Binaries;
use super::error::EmbeddedError;
use super::layout::Layout;
use super::leash;

/// The role that owns a new cluster. It is for migrations and administration; the service logs in with lesser roles,
/// because row-level security does not bind a superuser.
pub const SUPERUSER: &str = "orch_super";
/// `initdb` takes a second; slow disks are given more.
const INIT_TIMEOUT: Duration = Duration::from_mins(2);

/// The major version that wrote the cluster, such as `15`; `None` when there is no cluster yet.
///
/// # Errors
/// [`EmbeddedError::Damaged`] when there is something that is no cluster.
pub(super) fn major(layout: &Layout) -> Result<Option<String>, EmbeddedError> {
    let cluster = layout.cluster();
    let file = cluster.join("PG_VERSION");
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(EmbeddedError::system("read", file)(error))
        }
        Err(_) if std::fs::symlink_metadata(&cluster).is_ok() => {
            Err(EmbeddedError::Damaged { cluster })
        }
        Err(_) => Ok(None),
    }
}

/// Makes a new cluster: UTF-8, C locale (the same order on every machine and after every system upgrade), data
/// checksums.
///
/// Local connections are trusted without a password because the only way in is a socket inside a directory of mode
/// 0700: whoever can open it is PostgreSQL's own user or root, and both could read the data files anyway. TCP stays
/// closed; should an operator open it, every login needs a SCRAM password.
///
/// # Errors
/// [`EmbeddedError::InitFailed`] with what `initdb` printed.
pub(super) async fn create(
    layout: &Layout,
    binaries: &Binaries,
    account: &Account,
    fsync: bool,
) -> Result<(), EmbeddedError> {
    let cluster = layout.cluster();
    let unfinished = layout.unfinished_cluster();
    match std::fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(EmbeddedError::system("clear", &unfinished)(error));
        }
        Ok(()) | Err(_) => {}
    }
    DirBuilder::new()
        .mode(0o700)
        .create(&unfinished)
        .map_err(EmbeddedError::system("create", &unfinished))?;
    account.own(&unfinished)?;
    let failed = |output: String| EmbeddedError::InitFailed {
        cluster: cluster.clone(),
        output,
    };

    let output = run_initdb(&unfinished, binaries, account, fsync).await?;
    if let Err(text) = output {
        return Err(failed(text));
    }
    std::fs::rename(&unfinished, &cluster).map_err(EmbeddedError::system("rename", &unfinished))?;
    if fsync {
        let sync = File::open(&layout.data_dir).and_then(|dir| dir.sync_all());
        sync.map_err(EmbeddedError::system("sync", &layout.data_dir))?;
    }
    Ok(())
}

/// The inner error is what `initdb` printed when it failed.
async fn run_initdb(
    target: &Path,
    binaries: &Binaries,
    account: &Account,
    fsync: bool,
) -> Result<Result<(), String>, EmbeddedError> {
    let program = binaries.program("initdb");
    let mut command = leash::command(&program);
    command
        .arg("-D")
        .arg(target)
        .args([
            "--username",
            SUPERUSER,
            "--encoding=UTF8",
            "--locale=C",
            "--data-checksums",
        ])
        .args([
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "--no-instructions",
        ]);
    if !fsync {
        command.arg("--no-sync");
    }
    account.dress(&mut command);
    command
        .current_dir(target)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| account.spawn_error(&program, source))?;
    let pipe = child
        .stdin
        .take()
        .and_then(|stdin| stdin.into_owned_fd().ok());
    let leash = pipe.map(|fd| leash::Leash::new(File::from(fd)));

    let Ok(output) = tokio::time::timeout(INIT_TIMEOUT, child.wait_with_output()).await else {
        return Ok(Err(format!("it was not done after {INIT_TIMEOUT:?}")));
    };
    let output = output.map_err(EmbeddedError::system("run", &program))?;
    if let Some(leash) = leash {
        leash.release();
    }
    if output.status.success() {
        return Ok(Ok(()));
    }
    let text = [output.stdout, output.stderr].concat();
    Ok(Err(String::from_utf8_lossy(&text).trim().to_owned()))
}
