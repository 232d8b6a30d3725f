//! As whom PostgreSQL runs. It refuses to be root, so a root process hands it to an ordinary user.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{Uid, User, geteuid};

use super::error::EmbeddedError;

/// Variables PostgreSQL's programs may see. All others stay with us: a `PGDATA` would mislead them, and secrets of
/// our environment are none of their business. The library paths serve relocated builds.
const KEPT_VARIABLES: [&str; 3] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// Prints and fails at the first of its arguments that it may not enter or execute.
const REACH_SCRIPT: &str = r#"for path do [ -x "$path" ] || { printf %s "$path"; exit 1; }; done"#;

/// The user PostgreSQL runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Account {
    /// The user we are ourselves.
    Own,
    /// Another one, because we are root.
    Other { name: String, uid: u32, gid: u32 },
}

impl Account {
    /// Data that exists is served by its owner, so that the same directory works whoever starts us; a new directory
    /// of root's goes to `postgres`, or `nobody` where no PostgreSQL package made that user.
    ///
    /// # Errors
    /// [`EmbeddedError::WrongOwner`], [`EmbeddedError::NoAccount`].
    pub(super) fn choose(data_dir: &Path, cluster: &Path) -> Result<Self, EmbeddedError> {
        let owner = |path: &Path| {
            std::fs::symlink_metadata(path)
                .ok()
                .map(|meta| (meta.uid(), meta.gid()))
        };
        let us = geteuid();
        let cluster_owner = owner(cluster);
        if !us.is_root() {
            return match cluster_owner {
                Some((uid, _)) if uid != us.as_raw() => {
                    Err(wrong_owner(cluster, uid, &user_name(us.as_raw())))
                }
                Some(_) | None => Ok(Self::Own),
            };
        }
        if let Some((0, _)) = cluster_owner {
            let user = default_account().map_or_else(|| "postgres".to_owned(), |user| user.name);
            return Err(wrong_owner(cluster, 0, &user));
        }
        let served = cluster_owner
            .or_else(|| owner(data_dir))
            .filter(|(uid, _)| *uid != 0);
        if let Some((uid, gid)) = served {
            return Ok(Self::Other {
                name: user_name(uid),
                uid,
                gid,
            });
        }
        let user = default_account().ok_or(EmbeddedError::NoAccount)?;
        Ok(Self::Other {
            name: user.name,
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
        })
    }

    /// Makes a command run as this user, with a clean environment and in its own process group, so that Ctrl-C in
    /// our terminal reaches us and not PostgreSQL. Dropping root's uid also drops its supplementary groups (std does
    /// that whenever a uid is set and no groups are).
    pub(super) fn dress(&self, command: &mut Command) {
        command
            .env_clear()
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .process_group(0);
        for name in KEPT_VARIABLES {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Self::Other { uid, gid, .. } = self {
            command.uid(*uid).gid(*gid);
        }
    }

    /// Why a dressed command did not start.
    pub(super) fn spawn_error(&self, program: &Path, source: std::io::Error) -> EmbeddedError {
        match self {
            Self::Other { name, .. } if source.raw_os_error() == Some(nix::libc::EPERM) => {
                EmbeddedError::CannotDrop {
                    user: name.clone(),
                    source,
                }
            }
            Self::Own | Self::Other { .. } => EmbeddedError::system("run", program)(source),
        }
    }

    /// Hands a file or directory to this user. A link is never followed.
    pub(super) fn own(&self, path: &Path) -> Result<(), EmbeddedError> {
        let Self::Other { uid, gid, .. } = self else {
            return Ok(());
        };
        lchown(path, Some(*uid), Some(*gid))
            .map_err(EmbeddedError::system("change the owner of", path))
    }

    /// The uid that this user's files have.
    pub(super) fn uid(&self) -> u32 {
        match self {
            Self::Own => geteuid().as_raw(),
            Self::Other { uid, .. } => *uid,
        }
    }

    /// Makes sure that this user can walk to the data directory and run the programs. Asked of the system itself, as
    /// that user, because mode bits alone tell nothing of access lists and mount options. A data directory that is
    /// root's alone is opened to the user's group, for entering and not for listing; its parents are left alone.
    ///
    /// # Errors
    /// [`EmbeddedError::NotReachable`] with the first place that bars the way; [`EmbeddedError::CannotDrop`].
    pub(super) fn ensure_reach(
        &self,
        data_dir: &Path,
        programs: &[PathBuf],
    ) -> Result<(), EmbeddedError> {
        let Self::Other { name, gid, .. } = self else {
            return Ok(());
        };
        let targets: Vec<&Path> = std::iter::once(data_dir)
            .chain(programs.iter().map(PathBuf::as_path))
            .collect();
        let mut barred = self.first_barred(&targets)?;
        if barred.as_deref() == Some(data_dir) && open_to_group(data_dir, *gid)? {
            barred = self.first_barred(&targets)?;
        }
        match barred {
            None => Ok(()),
            Some(path) => Err(EmbeddedError::NotReachable {
                path,
                user: name.clone(),
            }),
        }
    }

    /// The first ancestor or target that this user may not enter or execute.
    fn first_barred(&self, targets: &[&Path]) -> Result<Option<PathBuf>, EmbeddedError> {
        let mut paths = Vec::new();
        for target in targets {
            let mut way: Vec<&Path> = target.ancestors().collect();
            way.reverse();
            paths.extend(way);
        }
        let mut command = Command::new("/bin/sh");
        self.dress(&mut command);
        let output = command
            .args(["-c", REACH_SCRIPT, "sh"])
            .args(paths)
            .current_dir("/")
            .stdin(Stdio::null())
            .output()
            .map_err(|source| self.spawn_error(Path::new("/bin/sh"), source))?;
        if output.status.success() {
            return Ok(None);
        }
        Ok(Some(PathBuf::from(
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )))
    }
}

/// Lets a group enter a directory that so far was its owner's alone. False when it is shared already: then the
/// group it has means something, and a person has to decide.
fn open_to_group(dir: &Path, gid: u32) -> Result<bool, EmbeddedError> {
    let open = || {
        let mode = std::fs::symlink_metadata(dir)?.mode();
        if mode & 0o077 != 0 {
            return Ok(false);
        }
        lchown(dir, None, Some(gid))?;
        std::fs::set_permissions(dir, Permissions::from_mode(mode & 0o7777 | 0o010))?;
        Ok(true)
    };
    open().map_err(EmbeddedError::system("open to PostgreSQL's group", dir))
}

fn default_account() -> Option<User> {
    ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| User::from_name(name).ok().flatten())
        .filter(|user| !user.uid.is_root())
}

fn user_name(uid: u32) -> String {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    user.map_or_else(|| uid.to_string(), |user| user.name)
}

fn wrong_owner(path: &Path, owner: u32, user: &str) -> EmbeddedError {
    EmbeddedError::WrongOwner {
        path: path.to_owned(),
        owner: user_name(owner),
        user: user.to_owned(),
    }
}
