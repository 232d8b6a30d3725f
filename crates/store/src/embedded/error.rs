//! What can keep a private PostgreSQL from running, one variant for each thing a person does about it.

use std::path::PathBuf;
use std::time::Duration;

use super::binaries::{OLDEST_MAJOR, Version};
use super::postmaster::Exit;

/// Why the private PostgreSQL could not be started or stopped. Every message says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No usable PostgreSQL server is installed.
    #[error(
        "no PostgreSQL server of version {OLDEST_MAJOR} or newer was found. Install one: \
         Debian and Ubuntu `apt-get install postgresql`; Fedora `dnf install postgresql-server`; \
         Alpine `apk add postgresql`; macOS `brew install postgresql`. \
         Or name the folder that holds `postgres` and `initdb`, or set DATABASE_URL to a server you run yourself"
    )]
    NotInstalled,
    /// The folder named by the caller holds no PostgreSQL server that can be used.
    #[error(
        "{} holds no usable PostgreSQL server: {reason}. Name the folder with `postgres` and `initdb` \
         of version {OLDEST_MAJOR} or newer, or name none to have it searched for", .dir.display()
    )]
    BinariesUnusable {
        /// The folder that was named.
        dir: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The data was written by a major version that is not installed. Nothing was touched.
    #[error(
        "{} was written by PostgreSQL {found}, and only {installed} is installed. \
         Install the server of version {found} beside it (Debian and Ubuntu: `apt-get install postgresql-{found}`); \
         or dump the data with {found} (`pg_dumpall`), move the directory away, start again and load the dump",
        .data_dir.display()
    )]
    OtherMajor {
        /// The data directory.
        data_dir: PathBuf,
        /// The major version that wrote it, as its `PG_VERSION` says.
        found: String,
        /// The versions at hand, such as `15.18, 17.2`.
        installed: String,
    },
    /// The directory exists but is no complete PostgreSQL cluster.
    #[error(
        "{} is not a complete PostgreSQL cluster: it has no PG_VERSION. \
         Restore it from a backup, or move it away to start with an empty one", .cluster.display()
    )]
    Damaged {
        /// The folder that should be a cluster.
        cluster: PathBuf,
    },
    /// Another live process of ours holds the data directory.
    #[error(
        "{} is in use by process {holder}. Stop that process, or give this one another data directory",
        .data_dir.display()
    )]
    InUse {
        /// The data directory.
        data_dir: PathBuf,
        /// The process id the holder wrote down, or `?`.
        holder: String,
    },
    /// A PostgreSQL left behind by a killed process does not end, not even by SIGKILL.
    #[error(
        "process {pid}, left from an earlier run, still uses {} and cannot be ended. \
         It probably waits for a broken disk or network mount: check it, or restart the machine", .data_dir.display()
    )]
    OrphanStuck {
        /// The process that stays.
        pid: i32,
        /// The data directory.
        data_dir: PathBuf,
    },
    /// The data belongs to somebody else than the user PostgreSQL would run as.
    #[error(
        "{} belongs to user {owner}, but PostgreSQL would run as {user}. \
         Start as {owner}, or hand the directory over: `chown -R {user} {}`", .path.display(), .path.display()
    )]
    WrongOwner {
        /// The directory.
        path: PathBuf,
        /// Whom it belongs to.
        owner: String,
        /// Whom it should belong to.
        user: String,
    },
    /// Started by root, and there is no ordinary user to run PostgreSQL as.
    #[error(
        "PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody` to run it as. \
         Add one (`useradd --system postgres`), or start as an ordinary user"
    )]
    NoAccount,
    /// Started by root, but the system does not let this process change its user.
    #[error(
        "PostgreSQL does not run as root, and this process may not become user {user}. \
         Start as an ordinary user, or give the container CAP_SETUID and CAP_SETGID"
    )]
    CannotDrop {
        /// The user it should have become.
        user: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The user PostgreSQL runs as may not enter a directory on the way to its files.
    #[error(
        "user {user}, as whom PostgreSQL runs, may not enter {}. Choose a place every user can reach \
         (such as /var/lib/jobengine), start as an ordinary user, or open it: `chmod o+x {}`",
        .path.display(), .path.display()
    )]
    NotReachable {
        /// The first directory or file that bars the way.
        path: PathBuf,
        /// Whom it bars.
        user: String,
    },
    /// The data directory's path is too long for a Unix socket, and no shorter private place was found.
    #[error(
        "no place for the Unix socket: a socket's path has at most 107 bytes, {} is too long, \
         and no private directory could be made in the runtime or temporary directory. \
         Choose a data directory with a shorter path", .data_dir.display()
    )]
    NoSocketDir {
        /// The data directory.
        data_dir: PathBuf,
    },
    /// An additional setting has a name that PostgreSQL would not take.
    #[error(
        "`{name}` is not the name of a PostgreSQL setting. Names have letters, digits, `_` and `.`"
    )]
    BadSetting {
        /// The name as it was given.
        name: String,
    },
    /// `initdb` did not make a cluster. What it had written is removed at the next start.
    #[error("initdb could not make a new cluster in {}. Mend what it says, then start again: {output}", .cluster.display())]
    InitFailed {
        /// The folder it should have filled.
        cluster: PathBuf,
        /// What it printed.
        output: String,
    },
    /// PostgreSQL ended before it was ready.
    #[error("PostgreSQL ended while starting ({exit}). Mend what its log {} says, then start again:\n{tail}", .log.display())]
    StartFailed {
        /// How it ended.
        exit: Exit,
        /// The log file.
        log: PathBuf,
        /// The last lines of this start.
        tail: String,
    },
    /// PostgreSQL runs but was not ready in time; it has been told to stop.
    #[error(
        "PostgreSQL was not ready within {waited:?}. After a crash it may need longer to recover: \
         start again with a longer timeout, and see its log {}:\n{tail}", .log.display()
    )]
    StartTimeout {
        /// The timeout that passed.
        waited: Duration,
        /// The log file.
        log: PathBuf,
        /// The last lines of this start.
        tail: String,
    },
    /// PostgreSQL did not end, not even by SIGKILL.
    #[error(
        "PostgreSQL (process {pid}) cannot be ended. It probably waits for a broken disk or network mount: check it, or restart the machine"
    )]
    StopStuck {
        /// The process that stays.
        pid: i32,
    },
    /// The file system or the process table refused something not named above.
    #[error("could not {action} {}. Check the path, its permissions and the free space, then start again", .path.display())]
    System {
        /// What was tried, such as `create`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl EmbeddedError {
    /// Names what was tried on which path, for `map_err`.
    pub(super) fn system(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::System {
            action,
            path,
            source,
        }
    }

    /// The versions of a list, newest first, as one text.
    pub(super) fn versions<'a>(list: impl Iterator<Item = &'a Version>) -> String {
        let texts: Vec<String> = list.map(Version::to_string).collect();
        if texts.is_empty() {
            "none".to_owned()
        } else {
            texts.join(", ")
        }
    }
}
