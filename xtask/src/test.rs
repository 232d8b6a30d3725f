//! `cargo x test`: every test there is, or those of one crate.

use crate::process::{cargo, run as run_program};
use crate::steps::Steps;
use crate::{contract, setup};

/// Which tests.
#[derive(clap::Args)]
pub(crate) struct Test {
    /// Only the tests of this crate: `store` for `jobengine-store`. Compiles only what it needs
    #[arg(short, long, value_name = "CRATE")]
    package: Option<String>,
    /// Only tests whose path contains this
    filter: Option<String>,
}

impl Test {
    /// What cargo is asked to compile and run.
    fn packages(&self) -> Vec<String> {
        match &self.package {
            None => vec!["--workspace".to_owned()],
            Some(name) => {
                let own = name.starts_with("jobengine-") || name == "xtask";
                let prefix = if own { "" } else { "jobengine-" };
                vec!["--package".to_owned(), format!("{prefix}{name}")]
            }
        }
    }
}

/// Installs what is missing, compiles the tests, runs those that match. Without a crate and a filter, checks
/// the server against its contract too.
///
/// # Errors
/// A step has failed.
pub(crate) fn run(test: &Test) -> anyhow::Result<()> {
    let mut steps = Steps::default();
    let packages = test.packages();
    // Compiling is a step of its own so that the durations tell which of the two grew.
    let _ = steps.run("setup", setup::run)
        && steps.run("compile", || {
            run_program(cargo(["test", "--locked", "--no-run"]).args(&packages))
        })
        && steps.run("test", || {
            let mut command = cargo(["test", "--locked"]);
            run_program(command.args(&packages).args(&test.filter))
        })
        && test.package.is_none()
        && test.filter.is_none()
        && steps.run("contract", contract::run);
    steps.finish()
}

#[cfg(test)]
mod tests {
    use super::Test;

    #[test]
    fn a_crate_is_named_with_or_without_the_products_name() {
        let packages = |package: Option<&str>| {
            let package = package.map(str::to_owned);
            Test {
                package,
                filter: None,
            }
            .packages()
            .join(" ")
        };
        assert_eq!(packages(None), "--workspace");
        assert_eq!(packages(Some("store")), "--package jobengine-store");
        assert_eq!(packages(Some("jobengine-sdk")), "--package jobengine-sdk");
        assert_eq!(packages(Some("xtask")), "--package xtask");
    }
}
