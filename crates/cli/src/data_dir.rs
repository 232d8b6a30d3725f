//! The data directory: private PostgreSQL, keys, spool.

use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use anyhow::{Context as _, bail};

/// Where one installation keeps what is its own.
#[derive(Debug, Clone)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// The directory a person named, or the usual one: `$XDG_DATA_HOME/jobengine`, else
    /// `~/.local/share/jobengine`, for root `/var/lib/jobengine`. Made when it is missing, for its owner's eyes alone.
    pub(crate) fn open(named: Option<&Path>) -> anyhow::Result<Self> {
        let path = match named {
            Some(path) => {
                std::path::absolute(path).context("the data directory has no absolute path")?
            }
            None => usual()?,
        };
        // Started by root, PostgreSQL runs as another user: it must be able to pass through, not to look.
        let mode = if nix::unistd::geteuid().is_root() {
            0o711
        } else {
            0o700
        };
        if path.exists() && !path.is_dir() {
            bail!(
                "{} is no directory: name another with --data-dir",
                path.display()
            );
        }
        fs::DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(&path)
            .with_context(|| format!("cannot make the data directory {}", path.display()))?;
        Ok(Self(path))
    }

    /// Whether files can be made in it; tells where it is.
    pub(crate) fn check(&self) -> anyhow::Result<String> {
        tempfile::tempfile_in(&self.0).with_context(|| {
            format!("{self} cannot be written: start as its owner, or name another with --data-dir")
        })?;
        Ok(self.to_string())
    }

    /// A file of this name in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The private PostgreSQL.
    pub(crate) fn postgres(&self) -> PathBuf {
        self.0.join("postgres")
    }

    /// Where delivered events go.
    pub(crate) fn spool(&self) -> PathBuf {
        self.0.join("events")
    }

    /// Where keys are kept: nobody else may read it.
    pub(crate) fn keys(&self) -> anyhow::Result<PathBuf> {
        let path = self.0.join("keys");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)?;
        let mode = fs::metadata(&path)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            bail!(
                "{} may be read by others (mode {mode:o}): run `chmod 700 {}`",
                path.display(),
                path.display()
            );
        }
        Ok(path)
    }
}

impl fmt::Display for DataDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

fn usual() -> anyhow::Result<PathBuf> {
    if nix::unistd::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/jobengine"));
    }
    let home = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    home("XDG_DATA_HOME")
        .or_else(|| home("HOME").map(|home| home.join(".local/share")))
        .map(|share| share.join("jobengine"))
        .context("no HOME is set: name a data directory with --data-dir")
}
