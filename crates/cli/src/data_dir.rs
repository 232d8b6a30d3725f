//! The data directory: private PostgreSQL, keys, spool.

use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use anyhow::{Context as _, bail};
use nix::unistd::{AccessFlags, access};

/// Where one installation keeps what is its own.
#[derive(Debug, Clone)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// The directory a person named, or the usual one: `$XDG_DATA_HOME/jobengine`, else
    /// `~/.local/share/jobengine`, for root `/var/lib/jobengine`. It may not be there.
    pub(crate) fn named(named: Option<&Path>) -> anyhow::Result<Self> {
        let path = match named {
            Some(path) => {
                std::path::absolute(path).context("the data directory has no absolute path")?
            }
            None => usual()?,
        };
        if path.exists() && !path.is_dir() {
            bail!(
                "{} is no directory: name another with --data-dir",
                path.display()
            );
        }
        Ok(Self(path))
    }

    /// As [`DataDir::named`], made when it is missing, for its owner's eyes alone.
    pub(crate) fn open(named: Option<&Path>) -> anyhow::Result<Self> {
        let Self(path) = Self::named(named)?;
        // Started by root, PostgreSQL runs as another user: it must be able to pass through, not to look.
        let mode = if nix::unistd::geteuid().is_root() {
            0o711
        } else {
            0o700
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(&path)
            .with_context(|| format!("cannot make the data directory {}", path.display()))?;
        Ok(Self(path))
    }

    /// Whether files can be made in it, or it can be made; tells where it is. Makes nothing.
    pub(crate) fn look(&self) -> anyhow::Result<String> {
        let there = self.0.ancestors().find(|path| path.exists());
        let there = there.context("the root directory is missing")?;
        let may = AccessFlags::W_OK | AccessFlags::X_OK;
        if !there.is_dir() || access(there, may).is_err() {
            bail!(
                "{} cannot be written: start as its owner, or name another data directory with --data-dir",
                there.display()
            );
        }
        if there == self.0 {
            return Ok(self.to_string());
        }
        Ok(format!("{self} is not there; the first start makes it"))
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

    /// Where keys are kept: nobody else may read it. Made when it is missing.
    pub(crate) fn keys(&self) -> anyhow::Result<PathBuf> {
        let path = self.0.join("keys");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)?;
        self.existing_keys()?.context("it was made right now")
    }

    /// Where keys are kept, if there is such a place.
    pub(crate) fn existing_keys(&self) -> anyhow::Result<Option<PathBuf>> {
        let path = self.0.join("keys");
        if !path.try_exists()? {
            return Ok(None);
        }
        let mode = fs::metadata(&path)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            bail!(
                "{} may be read by others (mode {mode:o}): run `chmod 700 {}`",
                path.display(),
                path.display()
            );
        }
        Ok(Some(path))
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
