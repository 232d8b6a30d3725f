//! `jobengine bench drain`: how fast preloaded jobs without work are claimed and completed.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use jobengine_sdk::Client;
use jobengine_sdk::wire::job::NewJob;
use jobengine_sdk::wire::lease::Claim;
use jobengine_sdk::wire::report::{Complete, Outcome, Report};
use serde::Serialize;
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::on_a_node;
use super::times::{self, Times, histogram, micros};
use crate::output::{self, Output};
use crate::progress::{Counter, Progress};
use crate::temporary_node::TemporaryNode;

/// Drain preloaded jobs to durable completion
///
/// Starts a private PostgreSQL (with fsync) and a server in a temporary directory, submits the
/// jobs, and then claims and completes them in batches from several connections, every call over
/// HTTP and every answer after its commit. Driver, server and database share this machine: compare
/// figures of one machine only.
#[derive(Debug, clap::Args)]
pub(crate) struct DrainArgs {
    /// How many jobs
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    jobs: u32,
    /// Jobs per claim and reports per complete
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100))]
    batch: u32,
    /// Connections that claim and complete
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    workers: u32,
    /// How to print the figures
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    /// Short for --output json
    #[arg(long)]
    json: bool,
}

/// The figures of one drain.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    jobs: u32,
    batch: u32,
    workers: u32,
    submit_jobs_per_sec: u64,
    drain_jobs_per_sec: u64,
    drain_ms: u64,
    claim: Times,
    complete: Times,
    /// Of claim and complete, the submit left out.
    wal_bytes_per_job: u64,
}

/// One worker's measurements.
struct Measured {
    jobs: usize,
    claim: Histogram<u64>,
    complete: Histogram<u64>,
}

const JOB_TYPE: &str = "bench.noop";
/// Jobs per submit.
const SUBMIT: u32 = 1_000;

pub(crate) async fn run(args: DrainArgs) -> anyhow::Result<ExitCode> {
    let figures = on_a_node(async |node| measure(node, &args).await).await?;
    if args.json || args.output == Output::Json {
        output::line(serde_json::to_string(&figures)?)?;
    } else {
        output::print(&told(&figures))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(node: &TemporaryNode, args: &DrainArgs) -> anyhow::Result<Figures> {
    let client = node.client()?;
    let mut progress = Progress::start();
    progress.show();
    progress.phase("submitting", args.jobs as usize);
    let started = Instant::now();
    for first in (0..args.jobs).step_by(SUBMIT as usize) {
        let count = SUBMIT.min(args.jobs - first);
        let jobs: Vec<NewJob> = (first..first + count)
            .map(|n| NewJob::new(JOB_TYPE, json!({ "n": n })))
            .collect();
        client.jobs_submit(&jobs).await?;
        progress.steps(jobs.len());
    }
    let submitting = started.elapsed();
    let wal = node.wal_bytes().await?;
    progress.phase("draining", args.jobs as usize);
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for worker in 0..args.workers {
        // A client of its own: a connection of its own.
        workers.spawn(drain(
            node.client()?,
            worker,
            args.batch,
            progress.counter(),
        ));
    }
    let (mut jobs, mut claim, mut complete) = (0, histogram()?, histogram()?);
    while let Some(measured) = workers.join_next().await {
        let measured = measured.context("a worker of the benchmark ended early")??;
        jobs += measured.jobs;
        claim.add(measured.claim)?;
        complete.add(measured.complete)?;
    }
    let draining = started.elapsed();
    progress.finish();
    let wal = node.wal_bytes().await?.saturating_sub(wal);
    ensure!(
        jobs == args.jobs as usize,
        "{jobs} of {} jobs were completed",
        args.jobs
    );
    Ok(Figures {
        jobs: args.jobs,
        batch: args.batch,
        workers: args.workers,
        submit_jobs_per_sec: per_sec(args.jobs, submitting),
        drain_jobs_per_sec: per_sec(args.jobs, draining),
        drain_ms: u64::try_from(draining.as_millis())?,
        claim: Times::of(&claim),
        complete: Times::of(&complete),
        wal_bytes_per_job: wal / u64::from(args.jobs),
    })
}

async fn drain(
    client: Client,
    worker: u32,
    batch: u32,
    progress: Counter,
) -> anyhow::Result<Measured> {
    let session_id = Uuid::from_u128(0x7000_8000_0000_0000_0000 + u128::from(worker));
    let claim = Claim {
        session_id,
        worker: format!("bench-{worker}"),
        types: vec![JOB_TYPE.to_owned()],
        max: batch,
        wait_ms: 0,
        slots: Some(batch),
    };
    let mut measured = Measured {
        jobs: 0,
        claim: histogram()?,
        complete: histogram()?,
    };
    loop {
        let started = Instant::now();
        let claimed = client.claim(&claim).await?;
        measured.claim.record(micros(started))?;
        if claimed.grants.is_empty() {
            return Ok(measured);
        }
        let reports: Vec<Report> = claimed
            .grants
            .into_iter()
            .map(|grant| Report {
                job_id: grant.job_id,
                lease_token: grant.lease_token,
                outcome: Outcome::Succeeded,
                class: None,
                retry_after_ms: None,
                detail: None,
                result: None,
            })
            .collect();
        let sent = reports.len();
        let started = Instant::now();
        let answer = client
            .complete(&Complete {
                session_id,
                reports,
            })
            .await?;
        measured.complete.record(micros(started))?;
        let accepted = answer
            .results
            .iter()
            .filter(|result| result.accepted)
            .count();
        ensure!(
            accepted == sent,
            "{accepted} of {sent} reports were accepted"
        );
        measured.jobs += accepted;
        progress.add(accepted);
    }
}

fn per_sec(jobs: u32, time: Duration) -> u64 {
    u64::try_from(u128::from(jobs) * 1_000_000 / time.as_micros().max(1)).unwrap_or(u64::MAX)
}

fn told(figures: &Figures) -> String {
    let table = times::table(&[("claim", &figures.claim), ("complete", &figures.complete)]);
    let Figures {
        jobs,
        batch,
        workers,
        ..
    } = figures;
    format!(
        "drain    {jobs} jobs, {batch} a batch, {workers} connections: {} jobs/s ({} ms)\n\
         submit   {} jobs/s, {SUBMIT} a call\n\
         wal      {} bytes a job, claim and complete\n\n{}",
        figures.drain_jobs_per_sec,
        figures.drain_ms,
        figures.submit_jobs_per_sec,
        figures.wal_bytes_per_job,
        table
    )
}
