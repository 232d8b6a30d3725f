//! The one binary of `JobEngine`: roles and operator commands.

mod matching;

use std::process::ExitCode;

use clap::Parser;

/// Source and job orchestrator with an impact scheduler
#[derive(Debug, Parser)]
#[command(name = "jobengine", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Match(matching::MatchArgs),
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().command {
        Command::Match(args) => matching::run(&args),
    }
}
