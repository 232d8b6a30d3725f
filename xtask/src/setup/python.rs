//! Python, for the tools that hold a running server against its contract.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::metadata::Metadata;
use crate::process::{self, root, which};

/// Every tool with its version and the digests of its files.
const PINNED: &str = "xtask/contract/requirements.txt";

/// A Python that can make environments of its own; its version.
pub(super) fn find() -> Option<String> {
    let asks = "import sys, venv, ensurepip; assert sys.version_info >= (3, 10); print(sys.version.split()[0])";
    let output = Command::new(which("python3")?)
        .args(["-c", asks])
        .output()
        .ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    output
        .status
        .success()
        .then(|| format!("Python {}", version.trim()))
}

/// Makes the environment unless it is there, as pinned now; its folder of programs.
///
/// # Errors
/// There is no Python, or a pinned file cannot be had or is another one.
pub(crate) fn tools() -> Result<PathBuf> {
    let pinned = root().join(PINNED);
    let wanted = fs::read_to_string(&pinned).with_context(|| format!("could not read {PINNED}"))?;
    let folder = Metadata::load()?.target_directory.join("contract/venv");
    let installed = folder.join("requirements.txt");
    if !fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
        eprintln!("setup: installing the tools of {PINNED}");
        install(&folder, &pinned)?;
        // Written last: an environment without it is made anew.
        fs::write(&installed, wanted)
            .with_context(|| format!("could not write {}", installed.display()))?;
    }
    Ok(folder.join("bin"))
}

fn install(folder: &Path, pinned: &Path) -> Result<()> {
    let python = which("python3").context("there is no python3")?;
    process::run(
        Command::new(python)
            .args(["-m", "venv", "--clear"])
            .arg(folder),
    )?;
    process::run(
        Command::new(folder.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--no-input"])
            .args(["--disable-pip-version-check", "--no-cache-dir"])
            .args(["--require-hashes", "--only-binary=:all:", "--requirement"])
            .arg(pinned),
    )
}
