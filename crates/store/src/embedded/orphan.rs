//! Ends what an earlier run left on the cluster, so that exactly one PostgreSQL ever writes to it.
//!
//! `postmaster.pid` alone is not believed: its process id may belong to anybody by now, and a postmaster killed by
//! SIGKILL can leave servers behind that still write. Who uses the cluster is asked of the process table. The caller
//! holds the data directory's lock, so whatever is found here belongs to a run that is over (or was started by hand).

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use super::error::EmbeddedError;

/// Fast shutdown, then shutdown without a checkpoint (the next start recovers), then no question asked.
const STEPS: [(Signal, Duration); 3] = [
    (Signal::SIGINT, Duration::from_secs(15)),
    (Signal::SIGQUIT, Duration::from_secs(5)),
    (Signal::SIGKILL, Duration::from_secs(5)),
];
const POLL: Duration = Duration::from_millis(20);

/// A PostgreSQL process that uses the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Holder {
    pid: i32,
    parent: i32,
}

/// Ends every process that still uses the cluster and makes its `postmaster.pid` harmless.
///
/// # Errors
/// [`EmbeddedError::OrphanStuck`] when one outlives SIGKILL.
pub(super) async fn evict(data_dir: &Path, cluster: &Path) -> Result<(), EmbeddedError> {
    for (signal, patience) in STEPS {
        let found = holders(cluster);
        if found.is_empty() {
            return disown_pid_file(cluster);
        }
        let pids: Vec<i32> = found.iter().map(|holder| holder.pid).collect();
        tracing::warn!(?pids, %signal, "ending PostgreSQL processes left from an earlier run");
        for holder in &found {
            // SIGINT is for the postmaster, which ends its servers itself; to a server it only means "cancel".
            let leads = found.iter().all(|other| other.pid != holder.parent);
            if leads || signal != Signal::SIGINT {
                // It may have ended by now, which is what is wanted.
                let _ = kill(Pid::from_raw(holder.pid), signal);
            }
        }
        let give_up_at = Instant::now() + patience;
        while Instant::now() < give_up_at && !holders(cluster).is_empty() {
            sleep(POLL).await;
        }
    }
    match holders(cluster).first() {
        None => disown_pid_file(cluster),
        Some(holder) => Err(EmbeddedError::OrphanStuck {
            pid: holder.pid,
            data_dir: data_dir.to_owned(),
        }),
    }
}

/// Makes PostgreSQL judge a leftover `postmaster.pid` by its shared memory and not by its process id.
///
/// PostgreSQL refuses to start while the process of that id lives, though after a reboot it can be any process of the
/// same user. Removing the file would also remove the number of the old shared memory, with which PostgreSQL makes
/// sure that no server of the old run is left. So only the id is replaced, by that of our own process: PostgreSQL
/// takes its parent's id for stale, and goes on to that check (`CreateLockFile` in its `miscinit.c`).
fn disown_pid_file(cluster: &Path) -> Result<(), EmbeddedError> {
    let path = cluster.join("postmaster.pid");
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == ErrorKind::InvalidData => String::new(),
        Err(error) => return Err(EmbeddedError::system("read", &path)(error)),
        Ok(text) => text,
    };
    let Some((_, rest)) = text
        .split_once('\n')
        .filter(|(first, _)| first.trim().parse::<i32>().is_ok())
    else {
        // Cut short by a crash while it was written; PostgreSQL itself asks for its removal.
        return std::fs::remove_file(&path).map_err(EmbeddedError::system("remove", &path));
    };
    let write = || {
        let flags = OFlag::O_NOFOLLOW.bits();
        let mut file = OpenOptions::new()
            .write(true)
            .truncate(true)
            .custom_flags(flags)
            .open(&path)?;
        write!(file, "{}\n{rest}", std::process::id())
    };
    write().map_err(EmbeddedError::system("write", &path))
}

/// The PostgreSQL processes whose working directory is the cluster; where there is no /proc, those whose command line
/// names it, and their children.
fn holders(cluster: &Path) -> Vec<Holder> {
    if Path::new("/proc/self/cwd").exists() {
        return holders_by_proc(cluster);
    }
    let listing = std::process::Command::new("ps")
        .args(["-axo", "pid=,ppid=,command="])
        .output();
    let text = listing
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    holders_by_ps(&text, &cluster.to_string_lossy())
}

fn holders_by_proc(cluster: &Path) -> Vec<Holder> {
    let (Ok(wanted), Ok(entries)) = (std::fs::metadata(cluster), std::fs::read_dir("/proc")) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        // A process that ends meanwhile, a zombie and another user's process have nothing to read here.
        let Ok(cwd) = std::fs::metadata(entry.path().join("cwd")) else {
            continue;
        };
        if (cwd.dev(), cwd.ino()) != (wanted.dev(), wanted.ino()) {
            continue;
        }
        // "postgres (deleted)" after the package was upgraded; a shell in that directory is nobody's business.
        let program = std::fs::read_link(entry.path().join("exe"));
        let is_postgres = program.is_ok_and(|exe| {
            exe.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("postgres"))
        });
        let stat = std::fs::read_to_string(entry.path().join("stat"));
        if let (true, Some(parent)) = (is_postgres, stat.ok().as_deref().and_then(parent_of)) {
            found.push(Holder { pid, parent });
        }
    }
    found
}

/// The parent's id in `/proc/<pid>/stat`: `pid (name) state ppid …`, where the name may hold anything.
fn parent_of(stat: &str) -> Option<i32> {
    stat.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()
}

/// Reads `ps -axo pid=,ppid=,command=`: the postmaster is known by `-D <cluster>`, its servers by their parent.
fn holders_by_ps(listing: &str, cluster: &str) -> Vec<Holder> {
    let rows: Vec<(Holder, &str)> = listing
        .lines()
        .filter_map(|line| {
            let (pid, rest) = line.trim_start().split_once(' ')?;
            let (parent, command) = rest.trim_start().split_once(' ')?;
            let holder = Holder {
                pid: pid.parse().ok()?,
                parent: parent.parse().ok()?,
            };
            Some((holder, command.trim_start()))
        })
        .collect();
    let flag = format!(" -D {cluster}");
    let names_cluster = |command: &str| {
        let (Some(program), Some((_, after))) =
            (command.split(" -D ").next(), command.split_once(&flag))
        else {
            return false;
        };
        program.ends_with("postgres") && (after.is_empty() || after.starts_with(' '))
    };
    let leads = |pid: i32| {
        rows.iter()
            .any(|(row, command)| row.pid == pid && names_cluster(command))
    };
    let mut found = rows.clone();
    found.retain(|(row, command)| {
        names_cluster(command) || (command.starts_with("postgres:") && leads(row.parent))
    });
    found.into_iter().map(|(holder, _)| holder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_read_behind_a_name_with_brackets() {
        assert_eq!(parent_of("77 (a) b (c)) S 12 77 77 0"), Some(12));
        assert_eq!(parent_of("77"), None);
    }

    #[test]
    fn a_process_listing_gives_the_postmaster_and_its_servers() {
        let listing = "\
    1     0 /sbin/launchd
  501     1 /opt/homebrew/bin/postgres -D /Users/a b/pgdata -c fsync=on
  502   501 postgres: checkpointer
  503   501 sh -c exec guard
  601     1 /opt/homebrew/bin/postgres -D /Users/a b/pgdata2
  602   601 postgres: checkpointer
  700     1 vi -D /Users/a b/pgdata
";
        let expected = [
            Holder {
                pid: 501,
                parent: 1,
            },
            Holder {
                pid: 502,
                parent: 501,
            },
        ];
        assert_eq!(holders_by_ps(listing, "/Users/a b/pgdata"), expected);
    }

    #[test]
    fn a_stale_pid_file_keeps_all_but_its_id_and_a_broken_one_goes() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("postmaster.pid");
        std::fs::write(
            &file,
            "1\n/data\n1700000000\n5432\n/data/socket\n\n  123   456\nready   \n",
        )
        .unwrap();
        disown_pid_file(dir.path()).unwrap();
        let kept = "/data\n1700000000\n5432\n/data/socket\n\n  123   456\nready   \n";
        assert_eq!(
            std::fs::read_to_string(&file).unwrap(),
            format!("{}\n{kept}", std::process::id())
        );

        for broken in ["", "\n", "no number\nrest\n", "12"] {
            std::fs::write(&file, broken).unwrap();
            disown_pid_file(dir.path()).unwrap();
            assert!(!file.exists(), "{broken:?}");
        }
    }
}
