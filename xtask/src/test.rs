//! `cargo x test`: every test there is.

use crate::process::{cargo, run as run_program};
use crate::steps::Steps;
use crate::{contract, setup};

/// Which tests.
#[derive(clap::Args)]
pub(crate) struct Test {
    /// Only tests whose path contains this
    filter: Option<String>,
}

/// Installs what is missing, compiles all tests, runs those that match; without a filter, holds the
/// server against its contract too.
///
/// # Errors
/// A step has failed.
pub(crate) fn run(test: &Test) -> anyhow::Result<()> {
    let mut steps = Steps::default();
    // Compiling is a step of its own so that the durations tell which of the two grew.
    let _ = steps.run("setup", setup::run)
        && steps.run("compile", || {
            run_program(&mut cargo(["test", "--workspace", "--locked", "--no-run"]))
        })
        && steps.run("test", || {
            let mut command = cargo(["test", "--workspace", "--locked"]);
            run_program(command.args(&test.filter))
        })
        && test.filter.is_none()
        && steps.run("contract", contract::run);
    steps.finish()
}
