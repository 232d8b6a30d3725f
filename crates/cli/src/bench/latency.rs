//! `jobengine bench latency`: how long one durable submit and one read take, at a steady rate.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hdrhistogram::Histogram;
use jobengine_sdk::wire::job::NewJob;
use jobengine_sdk::{Client, Method, Request};
use serde::Serialize;
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::on_a_node;
use super::times::{self, Times, histogram, micros};
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::temporary_node::TemporaryNode;

/// Measure submits and reads at a steady rate
///
/// Starts a private PostgreSQL (with fsync) and a server in a temporary directory. Submits of one job over
/// HTTP take turns with bare, durable INSERTs of a row of the same size over the same driver; then jobs are
/// stored and the tables vacuumed, as those of a ledger that grew over days are, and reads of several sorts are
/// measured among them. A call's time counts from the moment at which
/// it was due, so that a pause is felt by all calls that it delays.
#[derive(Debug, clap::Args)]
pub(crate) struct LatencyArgs {
    /// Submits, and bare INSERTs, per second
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    submits: u32,
    /// Reads per second
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    reads: u32,
    /// Jobs that are stored when the reads begin
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    stored: u32,
    /// Seconds of each sort of call
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..=3_600))]
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
    stored: u32,
    bare_insert: Times,
    submit: Times,
    /// p99 of the submit over that of the bare INSERT, in thousandths.
    submit_ratio_permille: u64,
    get: Times,
    list: Times,
    list_rare_state: Times,
}

/// Submits and INSERTs take turns this often, so that both see the machine's moods alike.
const TURNS: u32 = 5;
/// Jobs per call while the ledger is filled.
const FILL: u32 = 2_000;
/// Connections of the yardstick: as many as the service has at hand.
const PROBES: usize = 8;
/// A job without work, about as long as a small real one.
const PAYLOAD: &str =
    "{\"n\": 1, \"text\": \"a job without work, about as long as a small real one\"}";

pub(crate) async fn run(args: LatencyArgs) -> anyhow::Result<ExitCode> {
    let figures = on_a_node(async |node| measure(node, &args).await).await?;
    if args.json || args.output == Output::Json {
        output::line(serde_json::to_string(&figures)?)?;
    } else {
        output::print(&told(&figures))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(node: &TemporaryNode, args: &LatencyArgs) -> anyhow::Result<Figures> {
    let client = Arc::new(node.client()?);
    let mut progress = Progress::start();
    progress.show();
    progress.phase("submitting", TURNS as usize);
    let (bare_insert, submit) = submits(node, &client, args, &mut progress).await?;
    progress.phase("filling", args.stored as usize);
    let ids = fill(&client, args.stored, &mut progress).await?;
    progress.phase("settling", 1);
    node.settle().await?;
    progress.phase("reading", 3);
    let mut reads = Vec::new();
    for path in [
        Path::Get(Arc::new(ids)),
        Path::List(None),
        Path::List(Some("failed")),
    ] {
        let times = paced(args.reads, seconds(args.seconds), |n| {
            let (client, path) = (Arc::clone(&client), path.of(n));
            async move { Ok(client.request_bytes(path).await.map(drop)?) }
        })
        .await?;
        reads.push(Times::of(&times));
        progress.steps(1);
    }
    progress.finish();
    let mut reads = reads.into_iter();
    let mut next = || reads.next().context("each sort of read was measured");
    let (bare_insert, submit) = (Times::of(&bare_insert), Times::of(&submit));
    Ok(Figures {
        stored: args.stored,
        submit_ratio_permille: submit.p99_us * 1_000 / bare_insert.p99_us.max(1),
        bare_insert,
        submit,
        get: next()?,
        list: next()?,
        list_rare_state: next()?,
    })
}

async fn submits(
    node: &TemporaryNode,
    client: &Arc<Client>,
    args: &LatencyArgs,
    progress: &mut Progress,
) -> anyhow::Result<(Histogram<u64>, Histogram<u64>)> {
    let probe = Arc::new(node.insert_probe(PROBES).await?);
    let turn = seconds(args.seconds) / TURNS;
    let (mut bare, mut submit) = (histogram()?, histogram()?);
    for at in 0..u64::from(TURNS) {
        bare.add(
            paced(args.submits, turn, |n| {
                let probe = Arc::clone(&probe);
                // Ids of a time, as those of jobs are.
                let id = Uuid::from_u128((u128::from(at) << 100) + u128::from(n));
                async move { Ok(probe.insert(id, PAYLOAD).await?) }
            })
            .await?,
        )?;
        submit.add(
            paced(args.submits, turn, |_| {
                let client = Arc::clone(client);
                let payload: serde_json::Value = serde_json::from_str(PAYLOAD).unwrap_or_default();
                async move {
                    let job = NewJob::new("bench.noop", payload);
                    Ok(client.jobs_submit(&[job]).await.map(drop)?)
                }
            })
            .await?,
        )?;
        progress.steps(1);
    }
    Ok((bare, submit))
}

/// Stores jobs; tells some of their ids.
async fn fill(client: &Client, jobs: u32, progress: &mut Progress) -> anyhow::Result<Vec<Uuid>> {
    let mut ids = Vec::new();
    for first in (0..jobs).step_by(FILL as usize) {
        let count = FILL.min(jobs - first);
        let batch: Vec<NewJob> = (first..first + count)
            .map(|n| NewJob::new("bench.stored", json!({ "n": n })))
            .collect();
        let made = client.jobs_submit(&batch).await?;
        ids.extend(made.job_ids.into_iter().step_by(97));
        progress.steps(batch.len());
    }
    Ok(ids)
}

/// What is read.
enum Path {
    Get(Arc<Vec<Uuid>>),
    List(Option<&'static str>),
}

impl Path {
    fn of(&self, n: u64) -> Request {
        const JOBS: [&str; 4] = ["api", "v1", "orchestrator", "jobs"];
        match self {
            Self::Get(ids) => {
                // A step that shares no divisor with usual counts: not the order of storing.
                let at = usize::try_from(n).unwrap_or_default().wrapping_mul(7_919) % ids.len();
                let id = ids[at].to_string();
                Request::new(Method::GET, JOBS.into_iter().chain([id.as_str()]))
            }
            Self::List(state) => {
                let list = Request::new(Method::GET, JOBS).query("limit", "50");
                match state {
                    Some(state) => list.query("state", *state),
                    None => list,
                }
            }
        }
    }
}

/// Calls at a steady rate, whatever the answers take.
async fn paced<F>(
    per_sec: u32,
    time: Duration,
    call: impl Fn(u64) -> F,
) -> anyhow::Result<Histogram<u64>>
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let calls = time.as_millis() * u128::from(per_sec) / 1_000;
    let step = Duration::from_secs(1) / per_sec;
    let (begin, mut under_way, mut times) = (Instant::now(), JoinSet::new(), histogram()?);
    for n in 0..u64::try_from(calls)? {
        let due = begin + step * u32::try_from(n).unwrap_or(u32::MAX);
        tokio::time::sleep_until(due.into()).await;
        let call = call(n);
        under_way.spawn(async move { call.await.map(|()| micros(due)) });
        while let Some(ended) = under_way.try_join_next() {
            times.record(ended.context("a call ended early")??)?;
        }
    }
    while let Some(ended) = under_way.join_next().await {
        times.record(ended.context("a call ended early")??)?;
    }
    Ok(times)
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds))
}

fn told(figures: &Figures) -> String {
    let table = times::table(&[
        ("bare INSERT", &figures.bare_insert),
        ("submit, one job", &figures.submit),
        ("get", &figures.get),
        ("list", &figures.list),
        ("list of a rare state", &figures.list_rare_state),
    ]);
    let ratio = figures.submit_ratio_permille;
    format!(
        "submit   p99 is {}.{:02} times that of a bare, durable INSERT\n\
         reads    among {} stored jobs\n\n{table}",
        ratio / 1_000,
        ratio % 1_000 / 10,
        figures.stored
    )
}
