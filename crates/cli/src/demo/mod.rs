//! `jobengine demo`: the main job, end to end, on bundled facts about real images and advisories.

mod data;
mod report;
mod story;
mod workers;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use jobengine_domain::lease::LeaseMs;
use jobengine_duties::planner::Window;
use jobengine_impact::segment::SegmentSize;
use jobengine_sdk::wire::impact_run::{Delta, ImpactRun};
use jobengine_sdk::wire::intake::{IntakeMode, SbomSubject};
use jobengine_sdk::wire::job::JobFilter;
use jobengine_sdk::wire::page::PageQuery;
use jobengine_sdk::wire::run::Run;
use jobengine_sdk::{Client, Document};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::report::{DeltaReport, EventReport, FirstRun, Report, SecondRun, Timings};
use self::story::Story;
use self::workers::WorkerProcess;
use crate::node::Settings;
use crate::temporary_node::TemporaryNode;
use crate::{events, output, signals};

/// Do the main job end to end, on bundled real data, then stop and clean up
///
/// A private PostgreSQL in a temporary directory takes an inventory and a first snapshot of
/// advisories; a run evaluates all images. A second snapshot arrives: what differs is worked out,
/// a run over just the images that are hit is planned, and two worker processes take its segments.
/// One of them is killed in the middle of a segment; its lease expires and the other one finishes.
/// What changed is signed, sent, and verified with the public key.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Print one JSON object on standard output; the story goes to standard error
    #[arg(long)]
    json: bool,
}

/// The source that the advisories come from.
const SOURCE: &str = "demo";
/// Images per segment: small, so that two workers share the second run.
const SEGMENT_IMAGES: u32 = 4;
/// A lease short enough to watch it expire.
const LEASE_MS: u32 = 3_000;
/// How fast the workers of the second run go, so that one can be killed in the middle of a segment.
const IMAGES_PER_SECOND: u32 = 4;
/// Whatever takes longer than this has failed.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often the demo looks whether something has happened.
const LOOK: Duration = Duration::from_millis(20);

pub(crate) async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let story = Story::begin(args.json);
    let settings = Settings {
        lease: LeaseMs::new(LEASE_MS)?,
        window: Window {
            quiet: Duration::from_millis(700),
            longest: Duration::from_secs(10),
        },
        segment_size: SegmentSize::new(SEGMENT_IMAGES)?,
        ..Settings::default()
    };
    let stop = CancellationToken::new();
    signals::stop_on_signal(stop.clone())?;
    story.doing("starting a private PostgreSQL");
    let mut node = TemporaryNode::start("demo", settings).await?;
    let done = signals::unless_stopped(&stop, tell(&mut node, &story)).await;
    story.doing("stopping and cleaning up");
    node.stop().await?;
    story.clear();
    let report = done?;
    story.end();
    if args.json {
        output::line(serde_json::to_string(&report)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn tell(node: &mut TemporaryNode, story: &Story) -> anyhow::Result<Report> {
    let client = node.client()?;
    let up = format!("PostgreSQL {} and a server are up", node.postgres());
    story.took("ledger", Duration::from_millis(node.start_ms()), &up);
    let began = Instant::now();
    let inventory = inventory(&client, story).await?;
    let (advisories, intake) = knowledge(&client, began, story).await?;
    let (first, first_run) = first_run(node, &client, story).await?;
    let (planned, delta) = second_snapshot(&client, story).await?;
    let (second, counts, second_run) = second_run(node, &client, &planned, story).await?;
    let (event, event_ms) = event(node, second.run_id, story).await?;
    Ok(Report {
        images: inventory.images,
        components: inventory.components,
        advisories,
        first_run: FirstRun {
            run_id: first.run_id,
            segments: first.segments,
            findings: changed(&first)?.new,
        },
        delta: DeltaReport {
            advisories_changed: second.advisories_changed,
            images_impacted: second.images_impacted,
            images_total: second.images_total,
        },
        second_run: SecondRun::new(&second, &counts, changed(&second)?),
        event,
        timings_ms: Timings {
            start: node.start_ms(),
            intake,
            first_run,
            delta,
            second_run,
            event: event_ms,
            total: story.total_ms(),
        },
    })
}

/// The first snapshot of advisories, with the exploits and the VEX statement known by then.
async fn knowledge(client: &Client, began: Instant, story: &Story) -> anyhow::Result<(u64, u64)> {
    let advisories = snapshot(client, data::BEFORE, data::KEV_BEFORE).await?;
    client
        .vex_put(SOURCE, None, Document::bytes(data::VEX))
        .await?;
    let day = data::BEFORE_DAY;
    let what = format!("{advisories} advisories of {day}, known exploits,\na VEX statement");
    Ok((advisories, story.timed("knowledge", began, &what)))
}

/// Every image against every advisory.
async fn first_run(
    node: &mut TemporaryNode,
    client: &Client,
    story: &Story,
) -> anyhow::Result<(ImpactRun, u64)> {
    let began = Instant::now();
    node.start_duties();
    story.doing("first evaluation: every image against every advisory");
    let worker = WorkerProcess::start(node, "worker-0", None)?;
    let run = completed(client, 1).await?;
    worker.stop().await?;
    let delta = changed(&run)?;
    let what = format!(
        "{} images in {} segments: {} findings,\n{} critical, {} high, {} exploited",
        run.images_impacted, run.segments, delta.new, delta.critical, delta.high, delta.kev
    );
    let took = story.timed("first run", began, &what);
    Ok((run, took))
}

/// The second snapshot, and the run that is planned because of it.
async fn second_snapshot(client: &Client, story: &Story) -> anyhow::Result<(ImpactRun, u64)> {
    let began = Instant::now();
    story.doing("a second snapshot arrives");
    let advisories = snapshot(client, data::AFTER, data::KEV_AFTER).await?;
    let run = planned(client, 2).await?;
    let what = format!(
        "{advisories} advisories of {}: {} flaws differ,\n{} of {} images are hit",
        data::AFTER_DAY,
        run.advisories_changed,
        run.images_impacted,
        run.images_total
    );
    let took = story.timed("delta", began, &what);
    Ok((run, took))
}

/// Two workers take the segments of the second run; one is killed in the middle of its first.
async fn second_run(
    node: &TemporaryNode,
    client: &Client,
    run: &ImpactRun,
    story: &Story,
) -> anyhow::Result<(ImpactRun, Run, u64)> {
    let began = Instant::now();
    let (run, counts) = recover(node, client, run, story).await?;
    let delta = changed(&run)?;
    let what = format!(
        "{} segments in {} attempts: {} new findings, {} fixed;\n{} critical, {} high, {} exploited",
        run.segments,
        counts.attempts,
        delta.new,
        delta.fixed,
        delta.critical,
        delta.high,
        delta.kev
    );
    let took = story.timed("second run", began, &what);
    Ok((run, counts, took))
}

/// The signed statement, as its receiver gets and checks it.
async fn event(
    node: &TemporaryNode,
    run: Uuid,
    story: &Story,
) -> anyhow::Result<(EventReport, u64)> {
    let began = Instant::now();
    let (event, images) = verified(node, run).await?;
    let key = short(&event.key_id);
    let what = format!("a signed in-toto statement about {images} images,\nverified with {key}");
    let took = story.timed("event", began, &what);
    Ok((event, took))
}

fn changed(run: &ImpactRun) -> anyhow::Result<Delta> {
    run.delta.context("a completed run says what it changed")
}

/// How much inventory there is.
struct Inventory {
    images: u64,
    components: u64,
}

async fn inventory(client: &Client, story: &Story) -> anyhow::Result<Inventory> {
    let started = Instant::now();
    let images = data::images()?;
    let mut inventory = Inventory {
        images: 0,
        components: 0,
    };
    for image in &images {
        story.doing(&format!("inventory: {}", image.repository));
        let subject = SbomSubject {
            image: Some(image.digest.clone()),
            repository: Some(image.repository.clone()),
            ..SbomSubject::default()
        };
        let stored = client
            .sbom_put(
                &subject,
                Document::bytes(image.sbom.get().as_bytes().to_vec()),
            )
            .await?;
        inventory.images += 1;
        inventory.components += stored.components;
    }
    story.timed(
        "inventory",
        started,
        &format!(
            "{} images with {} components",
            inventory.images, inventory.components
        ),
    );
    Ok(inventory)
}

/// Sends a snapshot of advisories and the catalogue of its day; tells how many advisories it has.
async fn snapshot(client: &Client, advisories: &[u8], kev: &'static [u8]) -> anyhow::Result<u64> {
    let advisories = zstd::decode_all(advisories).context("the bundled advisories are damaged")?;
    let stored = client
        .advisories_put(SOURCE, IntakeMode::Snapshot, Document::bytes(advisories))
        .await?;
    ensure!(
        stored.problems.is_empty(),
        "bundled advisories were refused: {:?}",
        stored.problems.first()
    );
    client.kev_put(SOURCE, Document::bytes(kev)).await?;
    Ok(stored.stored)
}

/// Waits for the impact run of a generation to be planned.
async fn planned(client: &Client, generation: i64) -> anyhow::Result<ImpactRun> {
    waiting("a run to be planned", async || {
        let runs = client.impact_runs(&PageQuery::default()).await?;
        Ok(runs
            .items
            .into_iter()
            .find(|run| run.generation == generation))
    })
    .await
}

/// Waits for the impact run of a generation to complete.
async fn completed(client: &Client, generation: i64) -> anyhow::Result<ImpactRun> {
    waiting("a run to complete", async || {
        let runs = client.impact_runs(&PageQuery::default()).await?;
        Ok(runs
            .items
            .into_iter()
            .find(|run| run.generation == generation && run.state == "completed"))
    })
    .await
}

/// Lets two workers take the segments of a run and kills one of them in the middle of its first.
async fn recover(
    node: &TemporaryNode,
    client: &Client,
    run: &ImpactRun,
    story: &Story,
) -> anyhow::Result<(ImpactRun, Run)> {
    let doomed = WorkerProcess::start(node, "worker-1", Some(IMAGES_PER_SECOND))?;
    story.doing("worker-1 takes its first segment");
    let leased = JobFilter {
        run_id: Some(run.run_id),
        state: Some("leased".to_owned()),
        ..JobFilter::default()
    };
    let held = waiting("a worker to take a segment", async || {
        let jobs = client.jobs(&leased, &PageQuery::default()).await?;
        Ok(jobs.items.into_iter().next())
    })
    .await?;
    let survivor = WorkerProcess::start(node, "worker-2", Some(IMAGES_PER_SECOND))?;
    let pid = doomed.kill()?;
    story.done(
        "crash",
        &format!(
            "worker-1 (pid {pid}) was killed while it held\n{}; worker-2 goes on",
            held.key.as_deref().unwrap_or("a segment")
        ),
    );
    let generation = run.generation;
    story.doing("worker-2 takes the other segments; the lease of the dead one runs out");
    let run = completed(client, generation).await?;
    survivor.stop().await?;
    let counts = client.run(run.run_id).await?;
    Ok((run, counts))
}

/// Takes the completion event from the spool and verifies it with the public key, as a receiver
/// would; tells how many images it speaks of.
async fn verified(node: &TemporaryNode, run: Uuid) -> anyhow::Result<(EventReport, usize)> {
    let path = node.spooled(run);
    let envelope = waiting(
        "the event to leave through the outbox",
        async || match tokio::fs::read(&path).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        },
    )
    .await?;
    let verified = events::verify(&envelope, &[node.completion_key()])?;
    ensure!(
        verified.statement.predicate.run_id.0 == run,
        "the event speaks of another run"
    );
    let event = EventReport {
        payload_type: verified.payload_type,
        key_id: verified.key_id,
        verified: verified.verified,
    };
    Ok((event, verified.statement.subject.len()))
}

async fn waiting<T>(
    what: &str,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        ensure!(
            started.elapsed() < PATIENCE,
            "waited {} s for {what}",
            PATIENCE.as_secs()
        );
        tokio::time::sleep(LOOK).await;
    }
}

/// Enough of a key's name to know it again.
fn short(key_id: &str) -> &str {
    key_id.get(..19).unwrap_or(key_id)
}
