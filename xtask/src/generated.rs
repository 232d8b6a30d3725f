//! Files that the binary writes about itself, and whether they are fresh.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::metadata::Metadata;
use crate::process::{self, cargo, root};

/// A committed file that is drawn from code.
pub(crate) struct Generated {
    /// Where it lives, below the root.
    path: &'static str,
    /// The hidden subcommand of `jobengine` that prints it, and of `cargo x` that writes it.
    command: &'static str,
}

/// The HTTP contract.
pub(crate) const OPENAPI: Generated = Generated {
    path: "openapi/orchestrator.json",
    command: "openapi",
};

/// The states of a job and a run, drawn from the functions that decide them.
pub(crate) const STATES: Generated = Generated {
    path: "docs/states.md",
    command: "states",
};

/// The metrics, drawn from their catalogue.
pub(crate) const METRICS: Generated = Generated {
    path: "docs/metrics.md",
    command: "metrics",
};

/// Write or compare.
#[derive(Clone, Copy, clap::Args)]
pub(crate) struct Mode {
    /// Only says whether the committed file is fresh; writes nothing
    #[arg(long)]
    pub(crate) check: bool,
}

/// Draws the file anew and writes or compares it.
///
/// # Errors
/// The binary does not build or does not print it; with `check`, the committed file differs.
pub(crate) fn run(generated: &Generated, mode: Mode) -> Result<()> {
    let Generated { path, command } = generated;
    let fresh = draw(command)?;
    let file = root().join(path);
    if mode.check {
        let committed = fs::read(&file).with_context(|| format!("could not read {path}"))?;
        if let Some(line) = first_difference(&committed, &fresh) {
            bail!("{path} is stale from line {line} on; write it with `cargo x {command}`");
        }
        eprintln!("{path} is fresh");
        return Ok(());
    }
    let folder = file
        .parent()
        .context("a generated file lives in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("could not create {}", folder.display()))?;
    fs::write(&file, fresh).with_context(|| format!("could not write {path}"))?;
    eprintln!("wrote {path}");
    Ok(())
}

/// What the debug binary prints.
fn draw(command: &str) -> Result<Vec<u8>> {
    let fresh = process::read(Command::new(binary()?).arg(command))?;
    if fresh.is_empty() {
        bail!("`jobengine {command}` printed nothing");
    }
    Ok(fresh)
}

/// Builds the debug binary; where it is.
///
/// # Errors
/// It does not build.
pub(crate) fn binary() -> Result<PathBuf> {
    // `--workspace` and `--examples` select the same features of the dependencies as
    // `cargo test --workspace` does, so that nothing is compiled a second time for it.
    process::run(&mut cargo([
        "build",
        "--workspace",
        "--bin",
        "jobengine",
        "--examples",
        "--locked",
    ]))?;
    Ok(Metadata::load()?.target_directory.join("debug/jobengine"))
}

/// The first line, from 1, in which the texts differ.
fn first_difference(left: &[u8], right: &[u8]) -> Option<usize> {
    if left == right {
        return None;
    }
    let same = left
        .split(|byte| *byte == b'\n')
        .zip(right.split(|byte| *byte == b'\n'))
        .take_while(|(left, right)| left == right)
        .count();
    Some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_stale_line_is_named() {
        assert_eq!(first_difference(b"a\nb\n", b"a\nb\n"), None);
        assert_eq!(first_difference(b"a\nb\n", b"a\nc\n"), Some(2));
        assert_eq!(first_difference(b"a\n", b"a\nc\n"), Some(2));
        assert_eq!(first_difference(b"", b"a\n"), Some(1));
    }
}
