//! `cargo x demo-data`: the demo's data, cut anew out of the data folder. For maintainers.

use anyhow::Result;

use crate::process::{self, cargo};

/// Runs the maker, which is an example of this package so that its dependencies are not ours.
///
/// # Errors
/// It does not build, or there is no data folder at `JOBENGINE_DATA` or `../shared/data`.
pub(crate) fn run() -> Result<()> {
    process::run(&mut cargo([
        "run",
        "--quiet",
        "--package",
        "xtask",
        "--example",
        "demo-data",
    ]))
}
