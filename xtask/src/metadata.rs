//! What cargo knows of the workspace and of everything it depends on.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process::{self, cargo};

/// The needed part of `cargo metadata`, format 1.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    /// Where cargo puts what it builds.
    pub(crate) target_directory: PathBuf,
}

/// One package of the tree.
#[derive(Deserialize)]
pub(crate) struct Package {
    id: String,
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// An SPDX expression, as the package has it.
    pub(crate) license: Option<String>,
    /// Where it comes from; none for the workspace's own.
    pub(crate) source: Option<String>,
    /// What its manifest asks for.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a manifest's dependencies.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    /// The package asked for.
    pub(crate) name: String,
    kind: Option<String>,
}

impl Metadata {
    /// Asks cargo, which must find the lock file fresh.
    ///
    /// # Errors
    /// A manifest or the lock file is wrong.
    pub(crate) fn load() -> Result<Self> {
        let bytes = process::read(&mut cargo(["metadata", "--format-version=1", "--locked"]))?;
        serde_json::from_slice(&bytes).context("could not read what `cargo metadata` printed")
    }

    /// The workspace's own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }

    /// Every package that can be part of a build on some platform with some of our features.
    /// The lock file names more: optional dependencies of others that nobody asks for.
    ///
    /// # Errors
    /// Cargo cannot draw the tree.
    pub(crate) fn buildable(&self) -> Result<Vec<&Package>> {
        // Not the `resolve` of `cargo metadata`: that knows nothing of weak features.
        let bytes = process::read(&mut cargo([
            "tree",
            "--workspace",
            "--all-features",
            "--target=all",
            "--edges=normal,build,dev",
            "--prefix=none",
            "--format={p}",
            "--locked",
        ]))?;
        let text = String::from_utf8(bytes).context("`cargo tree` printed no UTF-8")?;
        // `serde v1.0.229 (proc-macro) (*)`
        let in_tree: BTreeSet<(&str, &str)> = text
            .lines()
            .filter_map(|line| line.split_once(" v"))
            .map(|(name, rest)| (name, rest.split(' ').next().unwrap_or(rest)))
            .collect();
        let built = |package: &&Package| {
            in_tree.contains(&(package.name.as_str(), package.version.as_str()))
        };
        Ok(self.packages.iter().filter(built).collect())
    }
}

impl Dependency {
    /// Whether only tests, examples and benches see it.
    pub(crate) fn for_tests(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}
