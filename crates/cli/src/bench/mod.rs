//! `jobengine bench`: load over the real HTTP contract, measured from outside.

mod drain;
mod latency;
mod streams;
mod times;

use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use crate::node::Settings;
use crate::signals;
use crate::temporary_node::TemporaryNode;

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

/// Measures on a node of its own, which is stopped and removed however the measuring ends.
async fn on_a_node<T>(
    measure: impl AsyncFnOnce(&TemporaryNode) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let stop = CancellationToken::new();
    signals::stop_on_signal(stop.clone())?;
    let node = TemporaryNode::start("bench", Settings::default()).await?;
    let figures = signals::unless_stopped(&stop, measure(&node)).await;
    node.stop().await?;
    figures
}
