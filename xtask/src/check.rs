//! `cargo x check`: what can be judged without running the program's tests.

use anyhow::Result;

use crate::generated::{self, Mode};
use crate::metadata::Metadata;
use crate::process::{cargo, run as run_program};
use crate::steps::Steps;
use crate::{licences, tidy};

/// Runs every check, cheap ones first, and reports all that failed.
///
/// # Errors
/// A check has failed.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::default();
    steps.run("format", || {
        run_program(&mut cargo(["fmt", "--all", "--check"]))
    });
    steps.run("tidy", || tidy::run(&Metadata::load()?));
    steps.run("licences and sources", || licences::run(&Metadata::load()?));
    steps.run("clippy", || {
        run_program(&mut cargo([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]))
    });
    steps.run("documentation", || {
        let mut doc = cargo(["doc", "--workspace", "--no-deps", "--locked"]);
        run_program(doc.env("RUSTDOCFLAGS", "-D warnings"))
    });
    steps.run("generated files", || {
        generated::run(&generated::OPENAPI, Mode { check: true })?;
        generated::run(&generated::STATES, Mode { check: true })?;
        generated::run(&generated::METRICS, Mode { check: true })
    });
    steps.finish()
}
