//! `jobengine events tail`: what happens, as it happens.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use jobengine_domain::id;
use jobengine_sdk::wire::event::{Event, EventFilter};
use jobengine_sdk::{Client, Error, EventStream, Streamed, TokenSource};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::data_dir::DataDir;
use crate::output::{self, Output};
use crate::signals;

/// Follow events
///
/// Prints each event as it is committed, in order and without gaps, until it is interrupted. A connection that
/// is lost is opened again where it ended.
#[derive(Debug, clap::Args)]
pub(crate) struct TailArgs {
    /// Only events of this run
    #[arg(long, value_name = "ID", value_parser = id::parse)]
    run_id: Option<Uuid>,
    /// Only events of this job
    #[arg(long, value_name = "ID", value_parser = id::parse)]
    job_id: Option<Uuid>,
    /// Only events of these types, separated by commas
    #[arg(long, value_name = "TYPES")]
    types: Option<String>,
    /// Only events of this project
    #[arg(long, value_name = "ID", value_parser = id::parse)]
    project_id: Option<Uuid>,
    /// Go on after this cursor, as `--output json` prints it
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    /// Begin with the oldest event that is kept
    #[arg(long, conflicts_with = "after")]
    oldest: bool,
    /// End after so many events
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Where the API is
    #[arg(
        long,
        env = "JOBENGINE_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080",
        help_heading = "Connection"
    )]
    server: String,
    /// File with the bearer token or API key; that of `jobengine dev` unless given
    #[arg(
        long,
        env = "JOBENGINE_TOKEN_FILE",
        value_name = "FILE",
        help_heading = "Connection"
    )]
    token_file: Option<PathBuf>,
    /// How to print them; as JSON one object a line, with its cursor
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Pauses between tries to connect: doubled up to the second.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(15)];

pub(crate) async fn run(args: TailArgs) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    signals::stop_on_signal(stop.clone())?;
    // Whoever is interrupted has seen enough: that is no failure.
    match stop.run_until_cancelled(follow(&args)).await {
        Some(Err(error)) => Err(error),
        Some(Ok(())) | None => Ok(ExitCode::SUCCESS),
    }
}

async fn follow(args: &TailArgs) -> anyhow::Result<()> {
    let file = match &args.token_file {
        Some(file) => file.clone(),
        None => DataDir::named(None)?.file("dev.token"),
    };
    ensure!(
        file.exists(),
        "there is no token in {}: name its file with --token-file or JOBENGINE_TOKEN_FILE, or start `jobengine dev`",
        file.display()
    );
    let client = Client::builder(&args.server)
        .token(TokenSource::file(file))
        .build()?;
    let mut filter = EventFilter {
        run_id: args.run_id,
        job_id: args.job_id,
        types: args.types.clone(),
        project_id: args.project_id,
        after: args.after.clone(),
        oldest: args.oldest,
    };
    let mut left = args.count.unwrap_or(u64::MAX);
    let [mut pause, longest] = PAUSES;
    while left > 0 {
        match client.event_stream(&filter).await {
            Ok(mut stream) => {
                pause = PAUSES[0];
                let ended = print(&mut stream, args.output, &mut left).await;
                filter.after = stream.cursor().map(str::to_owned);
                ended?;
            }
            Err(error) if is_passing(&error) => {
                eprintln!("{error}; trying again");
            }
            Err(error) => return Err(error).context("the events cannot be followed"),
        }
        if left > 0 {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }
    Ok(())
}

/// Prints what comes, until the stream ends for a reason after which another one may be opened.
async fn print(stream: &mut EventStream, output: Output, left: &mut u64) -> anyhow::Result<()> {
    while *left > 0 {
        match stream.next().await {
            Ok(Some(Streamed::Event(event))) => {
                match output {
                    Output::Json => {
                        output::line(json!({"cursor": stream.cursor(), "event": event}))?;
                    }
                    Output::Table => output::line(told(&event))?,
                }
                *left -= 1;
            }
            Ok(Some(Streamed::Alive)) => {}
            Ok(Some(Streamed::End { reason })) => {
                ensure!(
                    reason != "expired",
                    "the server no longer keeps the events that come next"
                );
                eprintln!("the server ended the stream ({reason}); going on");
                return Ok(());
            }
            Ok(None) => return Ok(()),
            Err(error) if is_passing(&error) => {
                eprintln!("{error}; going on");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether the same may work later.
fn is_passing(error: &Error) -> bool {
    match error {
        Error::Unreachable(_) | Error::Interrupted(_) | Error::Silent => true,
        Error::Problem(problem) => matches!(problem.status, 429 | 503),
        _ => false,
    }
}

/// An event in a line.
fn told(event: &Event) -> String {
    let job = &event.job;
    let about = job.id.or(job.run_id);
    let mut line = format!("{}  {:<15}", event.occurred_at, event.event_type);
    let parts = [
        about.map(|id| id.to_string()),
        job.r#type.clone(),
        job.attempt.map(|attempt| format!("attempt {attempt}")),
        job.reason.clone(),
        Some(format!("by {}", event.actor.subject)),
    ];
    for part in parts.into_iter().flatten() {
        line.push_str("  ");
        line.push_str(&part);
    }
    line
}
