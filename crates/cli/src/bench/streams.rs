//! `jobengine bench streams`: what idle readers cost, and how late an event reaches a reader.

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use jobengine_sdk::wire::event::EventFilter;
use jobengine_sdk::wire::job::NewJob;
use jobengine_sdk::{Client, EventStream, Streamed};
use serde::Serialize;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::on_a_node;
use super::times::{self, Times, histogram};
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::temporary_node::TemporaryNode;

/// Measure event streams: idle readers, and how late events come
///
/// Starts a private PostgreSQL (with fsync) and a server in a temporary directory, opens idle streams in as many
/// tenants as it takes and looks at the memory of the process. Then jobs are submitted at a steady rate, and for
/// each the time from the answer of its submit, which comes after the commit, to its event at a reader is taken.
#[derive(Debug, clap::Args)]
pub(crate) struct StreamsArgs {
    /// Idle readers
    #[arg(long, default_value_t = 999, value_parser = clap::value_parser!(u32).range(1..=999))]
    readers: u32,
    /// Submits per second
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    rate: u32,
    /// Seconds of submits
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    seconds: u32,
    /// How to print the figures
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    /// Short for --output json
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    readers: u32,
    /// What the process, server and clients, grew by.
    readers_rss_bytes: u64,
    rate: u32,
    /// From the answer of a submit to its event at a reader.
    event: Times,
}

/// Streams of one tenant on one node: one is left for the measured reader.
const PER_TENANT: u32 = 49;
/// How long an event may take before the run has failed.
const LATEST: Duration = Duration::from_secs(30);

pub(crate) async fn run(args: StreamsArgs) -> anyhow::Result<ExitCode> {
    let figures = on_a_node(async |node| measure(node, &args).await).await?;
    if args.json || args.output == Output::Json {
        output::line(serde_json::to_string(&figures)?)?;
    } else {
        output::print(&told(&figures))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(node: &TemporaryNode, args: &StreamsArgs) -> anyhow::Result<Figures> {
    let client = node.client()?;
    let filter = EventFilter::default();
    // Before the memory is looked at: pools and caches are warm, and the tenant's tailer runs.
    let mut reader = client.event_stream(&filter).await?;
    client
        .jobs_submit(&[NewJob::new("bench.noop", json!(0))])
        .await?;
    next_job(&mut reader).await?;
    let mut progress = Progress::start();
    progress.show();
    progress.phase("opening streams", args.readers as usize);
    let before = resident()?;
    let mut idle = Vec::new();
    for first in (0..args.readers).step_by(PER_TENANT as usize) {
        let token = node.further_tenant(&format!("bench-{first}")).await?;
        for _ in 0..PER_TENANT.min(args.readers - first) {
            idle.push(open(node, &token).await?);
            progress.steps(1);
        }
    }
    let after = resident()?;
    progress.phase("submitting", (args.rate * args.seconds) as usize);
    let event = events(client, reader, args, &mut progress).await?;
    progress.finish();
    drop(idle);
    Ok(Figures {
        readers: args.readers,
        readers_rss_bytes: after.saturating_sub(before),
        rate: args.rate,
        event: Times::of(&event),
    })
}

/// A stream over a bare connection: the client's side costs next to nothing.
async fn open(node: &TemporaryNode, token: &str) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(node.address()).await?;
    let head = format!(
        "GET /api/v1/orchestrator/events/stream HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let mut answer = [0; 2_048];
    let read = stream.read(&mut answer).await?;
    ensure!(
        answer[..read].starts_with(b"HTTP/1.1 200"),
        "a stream was refused"
    );
    Ok(stream)
}

/// Submits at a steady rate and takes the times at which the events come.
async fn events(
    client: Client,
    mut reader: EventStream,
    args: &StreamsArgs,
    progress: &mut Progress,
) -> anyhow::Result<Histogram<u64>> {
    let count = u64::from(args.rate) * u64::from(args.seconds);
    let (told, mut answered) = mpsc::unbounded_channel();
    let began = Instant::now();
    let rate = args.rate;
    let submitting = tokio::spawn(async move {
        for n in 0..count {
            let due = began + Duration::from_micros(n * 1_000_000 / u64::from(rate));
            tokio::time::sleep_until(due.into()).await;
            let (client, told) = (client.clone(), told.clone());
            tokio::spawn(async move {
                let made = client
                    .jobs_submit(&[NewJob::new("bench.noop", json!(n))])
                    .await;
                let at = Instant::now();
                let _ = told.send(made.map(|made| (made.job_ids[0], at)));
            });
        }
    });
    let mut times = histogram()?;
    let (mut committed, mut seen) = (HashMap::new(), HashMap::new());
    while times.len() < count {
        tokio::select! {
            biased;
            Some(answer) = answered.recv() => {
                let (job, at): (Uuid, Instant) = answer?;
                match seen.remove(&job) {
                    // The event was faster than the answer.
                    Some(_) => times.record(0)?,
                    None => { committed.insert(job, at); }
                }
            }
            job = next_job(&mut reader) => {
                let (job, at) = (job?, Instant::now());
                match committed.remove(&job) {
                    Some(from) => times.record(u64::try_from((at - from).as_micros())?)?,
                    None => { seen.insert(job, at); }
                }
                progress.steps(1);
            }
        }
    }
    submitting.await?;
    Ok(times)
}

/// The job of the next event of a submit.
async fn next_job(reader: &mut EventStream) -> anyhow::Result<Uuid> {
    loop {
        let said = tokio::time::timeout(LATEST, reader.next()).await;
        match said.context("an event did not come")?? {
            Some(Streamed::Event(event)) => {
                return event.job.id.context("an event of a submit names its job");
            }
            Some(Streamed::Alive) => {}
            Some(Streamed::End { reason }) => anyhow::bail!("the stream ended: {reason}"),
            None => anyhow::bail!("the stream broke off"),
        }
    }
}

/// Memory of this process that is in use, in bytes (proc(5), `VmRSS`).
fn resident() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("this needs Linux")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
    let kib: u64 = kib.context("the system does not tell")?.trim().parse()?;
    Ok(kib * 1_024)
}

fn told(figures: &Figures) -> String {
    let kib = figures.readers_rss_bytes / 1_024;
    format!(
        "readers  {} idle: {} MiB, {} KiB each\nevents   {} submits/s\n\n{}",
        figures.readers,
        kib / 1_024,
        kib / u64::from(figures.readers),
        figures.rate,
        times::table(&[("commit to reader", &figures.event)])
    )
}
