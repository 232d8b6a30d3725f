//! The one binary of `JobEngine`: roles and operator commands.

mod audit;
mod bench;
mod data_dir;
mod database;
mod demo;
mod dev;
mod doctor;
mod egress;
mod events;
mod key_file;
mod matching;
mod migrate;
mod node;
mod node_keys;
mod output;
mod progress;
mod remote;
mod serve;
mod signals;
mod temporary_node;
mod tenant;
mod token;
mod trust;
mod worker;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use jobengine_telemetry::log::Logs;

use events::EventsCommand;
use remote::Remote;

/// Source and job orchestrator with an impact scheduler
///
/// Start with `jobengine demo` to see it work, or `jobengine dev` to try it yourself.
#[derive(Debug, Parser)]
#[command(name = "jobengine", bin_name = "jobengine", version, after_help = ENVIRONMENT)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The variable that says what is logged.
const LOG: &str = "JOBENGINE_LOG";
/// What the commands read from the environment.
const ENVIRONMENT: &str = "\
Environment:
  JOBENGINE_SERVER        Where operator commands find the API
  JOBENGINE_ADMIN_SERVER  Where `tenant` commands find the administration
  JOBENGINE_TOKEN_FILE    File with their bearer token or API key
  DATABASE_URL            PostgreSQL, as role orch_app; else a private one
  DATABASE_SCHED_URL      The same as role orch_sched; else derived
  DATABASE_ADMIN_URL      The same for `migrate`, as an administrator
  JOBENGINE_LOG           `warn`, or `info,jobengine_duties=debug`

Exit codes: 0 well, 1 failed, 2 wrong usage, 3 the token was refused";

#[derive(Debug, clap::Subcommand)]
enum Command {
    Dev(dev::DevArgs),
    Demo(demo::DemoArgs),
    Serve(Box<serve::ServeArgs>),
    Worker(worker::WorkerArgs),
    Match(matching::MatchArgs),
    Migrate(migrate::MigrateArgs),
    Doctor(doctor::DoctorArgs),
    /// Tenants: the owners of everything in the ledger
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Make tokens for operators and workers
    #[command(subcommand)]
    Token(TokenCommand),
    /// The audit trail: read it, export it, verify it
    #[command(subcommand)]
    Audit(AuditCommand),
    #[command(subcommand)]
    Events(EventsCommand),
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Print the HTTP contract as OpenAPI
    Openapi,
    /// Print docs/states.md
    #[command(hide = true)]
    States,
    /// Print docs/metrics.md
    #[command(hide = true)]
    Metrics,
}

#[derive(Debug, clap::Subcommand)]
enum TenantCommand {
    Create(tenant::CreateArgs),
}

#[derive(Debug, clap::Subcommand)]
enum TokenCommand {
    Mint(token::MintArgs),
    Key(token::KeyArgs),
}

#[derive(Debug, clap::Subcommand)]
enum AuditCommand {
    Verify(audit::VerifyArgs),
}

/// Exit code of a command that failed; 2 is for wrong usage.
const FAILED: u8 = 1;
/// Exit code when the server did not take the caller for who it has to be.
const AUTH: u8 = 3;

fn main() -> ExitCode {
    // One provider for everything that speaks TLS, before anything asks for one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let cli = Cli::command();
    let remote = Remote::new(&cli);
    let matches = remote.augment(cli).get_matches();
    let done = match remote.asked(&matches) {
        Some(asked) => with_runtime("error", asked.run()),
        None => Cli::from_arg_matches(&matches)
            .map_err(anyhow::Error::from)
            .and_then(|cli| run(cli.command)),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if is_auth(&error) { AUTH } else { FAILED })
        }
    }
}

/// Whether a command failed for want of a token that is valid and allows what was asked.
fn is_auth(error: &anyhow::Error) -> bool {
    use jobengine_sdk::Error;
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<Error>())
        .any(|cause| match cause {
            Error::Token(_) => true,
            Error::Problem(problem) => matches!(problem.status, 401 | 403),
            Error::Answer { status, .. } => matches!(status, 401 | 403),
            _ => false,
        })
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Match(args) => matching::run(&args),
        Command::Audit(AuditCommand::Verify(args)) => audit::verify(&args),
        Command::Events(EventsCommand::Verify(args)) => events::check(&args),
        Command::Events(EventsCommand::Tail(args)) => with_runtime("error", events::tail(args)),
        Command::Token(TokenCommand::Mint(args)) => token::mint(args),
        Command::Token(TokenCommand::Key(args)) => token::key(&args),
        Command::Openapi => {
            output::line(jobengine_api::contract_text())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::States => {
            output::print(&jobengine_domain::states_doc::markdown())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Metrics => {
            output::print(&jobengine_domain::metric::markdown())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Dev(args) => with_runtime("info", dev::run(&args)),
        Command::Serve(args) => {
            let logs = logs("info")?;
            block_on(serve::run(&args, &logs))
        }
        Command::Worker(args) => with_runtime("info", worker::run(args)),
        Command::Demo(args) => with_runtime("error", demo::run(args)),
        Command::Bench(command) => with_runtime("error", bench::run(command)),
        Command::Migrate(args) => with_runtime("warn", migrate::run(&args)),
        Command::Doctor(args) => with_runtime("error", doctor::run(&args)),
        Command::Tenant(TenantCommand::Create(args)) => with_runtime("warn", tenant::create(&args)),
    }
}

/// Runs a command that waits, with logs from `level` on.
fn with_runtime(
    level: &str,
    command: impl Future<Output = anyhow::Result<ExitCode>>,
) -> anyhow::Result<ExitCode> {
    let _logs = logs(level)?;
    block_on(command)
}

/// Starts logging at `level` unless `JOBENGINE_LOG` says otherwise.
fn logs(level: &str) -> anyhow::Result<Logs> {
    let asked = std::env::var(LOG).unwrap_or_default();
    let filter = Some(asked.trim()).filter(|asked| !asked.is_empty());
    Logs::start(filter.unwrap_or(level)).with_context(|| format!("{LOG} is wrong"))
}

fn block_on(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no runtime can be started")?;
    runtime.block_on(command)
}
