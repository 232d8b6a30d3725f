//! `cargo x`: everything a contributor or CI runs, by one name.

mod check;
mod contract;
mod demo;
mod demo_data;
mod generated;
mod licences;
mod metadata;
mod process;
mod setup;
mod spdx;
mod steps;
mod test;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo x", bin_name = "cargo x", disable_version_flag = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Installs what the other commands need and this machine lacks
    Setup,
    /// Builds the release binary and runs the main job end to end
    Demo(demo::Demo),
    /// Cuts the demo's data anew out of the data folder (for maintainers)
    DemoData,
    /// Runs every test, after installing what is missing
    Test(test::Test),
    /// Holds a running server against its contract: schemathesis, after installing what is missing
    Contract,
    /// Judges the tree without running it: format, lints, licences, layers, links, generated files
    Check,
    /// Writes openapi/orchestrator.json from the code
    Openapi(generated::Mode),
    /// Writes docs/states.md from the code
    States(generated::Mode),
    /// Writes docs/metrics.md from the catalogue
    Metrics(generated::Mode),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Setup => setup::run()?,
        Command::Demo(demo) => return demo::run(&demo),
        Command::DemoData => demo_data::run()?,
        Command::Test(test) => test::run(&test)?,
        Command::Contract => {
            setup::run()?;
            contract::run()?;
        }
        Command::Check => check::run()?,
        Command::Openapi(mode) => generated::run(&generated::OPENAPI, mode)?,
        Command::States(mode) => generated::run(&generated::STATES, mode)?,
        Command::Metrics(mode) => generated::run(&generated::METRICS, mode)?,
    }
    Ok(ExitCode::SUCCESS)
}
