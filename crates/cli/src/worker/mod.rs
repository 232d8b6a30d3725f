//! `jobengine worker`: the built-in evaluator, a worker like anyone's. It speaks only HTTP, through
//! the SDK.

mod evaluator;
mod pace;
mod segment;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use jobengine_sdk::worker::Tally;
use jobengine_sdk::{Client, TokenSource, Worker};
use tokio_util::sync::CancellationToken;

use self::evaluator::Evaluator;
use self::pace::Pace;
use crate::signals::stop_on_signal;

/// The type of the jobs that segments are.
const EVALUATE: &str = "impact.evaluate";

/// Evaluate segments of impact runs for a server
///
/// Claims jobs over HTTP, finds out which components of their images have known flaws, and hands the
/// findings in. Needs neither a database nor a disk. Start as many as you like, where you like; one
/// that dies loses nothing, another takes its jobs when their leases run out.
///
/// On SIGTERM or Ctrl-C it claims no more, lets what it holds end for a while, and gives the rest back.
/// A second signal ends it at once.
#[derive(Debug, clap::Args)]
pub(crate) struct WorkerArgs {
    /// Where the server is
    #[arg(long, value_name = "URL", env = "JOBENGINE_SERVER")]
    server: String,
    /// File with the worker's token; read again when it changes
    #[arg(long, value_name = "FILE", env = "JOBENGINE_TOKEN_FILE")]
    token_file: PathBuf,
    /// What operators see it as; `worker-` and the process id unless given
    #[arg(long)]
    name: Option<String>,
    /// Segments at a time; as many as there are processors unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    concurrency: Option<u32>,
    /// Begin no more than N images a second, all segments together, to bound the use of the
    /// processor; no bound unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    images_per_second: Option<u32>,
    /// How long running segments may go on after the first signal; what is left then is given back
    #[arg(long, value_name = "N", default_value_t = 20)]
    grace_seconds: u32,
    /// Types of jobs to claim
    #[arg(long, value_name = "TYPE", value_delimiter = ',', default_value = EVALUATE)]
    #[arg(value_parser = clap::builder::PossibleValuesParser::new([EVALUATE]))]
    types: Vec<String>,
    /// End when standard input does: whoever starts workers of its own leaves none behind
    #[arg(long, hide = true)]
    end_with_stdin: bool,
}

/// Works until a signal asks it to stop.
///
/// # Errors
/// When the settings cannot work, or the server goes on refusing the worker.
pub(crate) async fn run(args: WorkerArgs) -> anyhow::Result<ExitCode> {
    let client = Client::builder(&args.server)
        .token(TokenSource::file(&args.token_file))
        .build()?;
    let name = args.name.clone();
    let settings = Settings {
        name: name.unwrap_or_else(|| format!("worker-{}", std::process::id())),
        concurrency: args.concurrency.unwrap_or_else(processors),
        images_per_second: args.images_per_second,
        grace: Duration::from_secs(args.grace_seconds.into()),
        types: args.types,
    };
    let shutdown = CancellationToken::new();
    stop_on_signal(shutdown.clone())?;
    if args.end_with_stdin {
        let shutdown = shutdown.clone();
        std::thread::spawn(move || {
            // A broken pipe is an end like any.
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            shutdown.cancel();
        });
    }
    let tally = work(client, settings, shutdown)
        .await
        .with_context(|| format!("the worker cannot go on with {}", args.server))?;
    tracing::info!("done: {tally}");
    Ok(ExitCode::SUCCESS)
}

/// How an evaluator works.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// What operators see it as.
    pub(crate) name: String,
    /// Segments at a time.
    pub(crate) concurrency: u32,
    /// Images begun in a second, at most.
    pub(crate) images_per_second: Option<u32>,
    /// How long running segments may go on after shutdown.
    pub(crate) grace: Duration,
    /// Types of jobs to claim.
    pub(crate) types: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "evaluator".to_owned(),
            concurrency: processors(),
            images_per_second: None,
            grace: Duration::from_secs(20),
            types: vec![EVALUATE.to_owned()],
        }
    }
}

/// Runs an evaluator until `shutdown` fires; also within the server's own process.
///
/// # Errors
/// As [`Worker::run`].
pub(crate) async fn work(
    client: Client,
    settings: Settings,
    shutdown: CancellationToken,
) -> Result<Tally, jobengine_sdk::Error> {
    let evaluator = Evaluator::new(Pace::new(settings.images_per_second));
    let worker = Worker::builder(client)
        .name(settings.name)
        .grace(settings.grace)
        .concurrency(settings.concurrency);
    settings
        .types
        .into_iter()
        .fold(worker, |worker, job_type| {
            worker.handler(job_type, evaluator.clone())
        })
        .build()?
        .run(shutdown)
        .await
}

/// How an evaluator of this process came to its end.
///
/// # Errors
/// Those of [`work`], and that it broke off.
pub(crate) fn ended(
    tally: Result<Result<Tally, jobengine_sdk::Error>, tokio::task::JoinError>,
) -> anyhow::Result<()> {
    let tally = tally.context("the worker broke off")?;
    tally.context("the worker cannot go on").map(drop)
}

fn processors() -> u32 {
    std::thread::available_parallelism()
        .ok()
        .and_then(|count| u32::try_from(count.get()).ok())
        .unwrap_or(1)
        .min(16)
}
