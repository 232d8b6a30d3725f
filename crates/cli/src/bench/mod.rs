//! `jobengine bench`: load over the real HTTP contract, measured from outside.

mod drain;
mod latency;
mod streams;
mod times;

use std::process::ExitCode;

/// Measure this installation over its HTTP contract
#[derive(Debug, clap::Subcommand)]
pub(crate) enum BenchCommand {
    Drain(drain::DrainArgs),
    Latency(latency::LatencyArgs),
    Streams(streams::StreamsArgs),
}

pub(crate) async fn run(command: BenchCommand) -> anyhow::Result<ExitCode> {
    match command {
        BenchCommand::Drain(args) => drain::run(args).await,
        BenchCommand::Latency(args) => latency::run(args).await,
        BenchCommand::Streams(args) => streams::run(args).await,
    }
}
