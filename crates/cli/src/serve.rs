//! `jobengine serve`: the roles of a production process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use jobengine_api::{Authenticator, PublicUrl};
use jobengine_domain::defaults::{HISTORY_KEPT_DAYS, LEASE_MS, SEGMENT_IMAGES};
use jobengine_domain::lease::LeaseMs;
use jobengine_domain::network::Network;
use jobengine_duties::planner::Window;
use jobengine_impact::segment::SegmentSize;
use jobengine_queue::{Local, Postgres, Queue};
use jobengine_sdk::{Client, TokenSource};
use jobengine_telemetry::Registry;
use jobengine_telemetry::log::Logs;
use jobengine_telemetry::trace::{self, Traces};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::data_dir::DataDir;
use crate::database::{CONNECTIONS, Database};
use crate::egress::EgressArgs;
use crate::node::{Node, Settings};
use crate::node_keys::NodeKeys;
use crate::trust::TrustArgs;
use crate::{signals, worker};

/// Serve the API and run the background passes, in production
///
/// The ledger is the PostgreSQL that `DATABASE_URL` names (as role `orch_app`; the role `orch_sched`
/// takes the same URL unless `DATABASE_SCHED_URL` is set), prepared by `jobengine migrate`. Without
/// it, a private PostgreSQL in the data directory serves a single node.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// What this process does, several separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_value = "api,duties")]
    roles: Vec<Role>,
    /// Where the API listens
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Where metrics, probes and administration are served, for inside eyes; whatever the roles
    #[arg(long, default_value = "127.0.0.1:9090", value_name = "ADDRESS:PORT")]
    admin_listen: SocketAddr,
    /// How long requests are still taken when the process is told to stop, while `/readyz` already says no
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=300))]
    drain_seconds: u64,
    /// Collector of traces (OTLP over HTTP), such as `http://127.0.0.1:4318`; none are recorded unless given
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        value_name = "URL",
        hide_env_values = true
    )]
    otlp_endpoint: Option<String>,
    /// Where keys, events and a private PostgreSQL are kept
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Secret of the installation (64 hex digits), the same for all its replicas; made in the data
    /// directory unless given
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The service's own address as clients write it, such as `https://jobs.example`: needed for
    /// tokens that are bound to a key (DPoP)
    #[arg(long, value_name = "URL")]
    public_url: Option<PublicUrl>,
    /// Address or block of a proxy whose X-Forwarded-For is believed, several separated by commas
    #[arg(long = "trusted-proxy", value_name = "ADDRESS", value_delimiter = ',')]
    proxies: Vec<Network>,
    /// Connections to PostgreSQL for requests; the background passes have two more, and one only asks
    /// whether the server is there
    #[arg(long, value_name = "N", default_value_t = CONNECTIONS, value_parser = clap::value_parser!(u16).range(2..=1_000))]
    database_connections: u16,
    /// Time a worker has between heartbeats before its jobs go to others
    #[arg(long, value_name = "N", default_value_t = LEASE_MS / 1_000, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    lease_seconds: u32,
    /// Most images per segment of an impact run
    #[arg(long, value_name = "N", default_value_t = SEGMENT_IMAGES)]
    segment_images: u32,
    /// A run is planned when nothing has changed for so long
    #[arg(long, default_value_t = 1_000, value_name = "MS")]
    window_quiet_ms: u64,
    /// A run is planned at the latest when the oldest change has waited so long
    #[arg(long, default_value_t = 10_000, value_name = "MS")]
    window_longest_ms: u64,
    /// Days for which jobs are kept after they were submitted, with their attempts and artifacts: 7 or more, or 0
    /// to keep them for ever
    #[arg(long, value_name = "N", default_value_t = HISTORY_KEPT_DAYS, value_parser = history_days)]
    history_days: u32,
    /// Token of the worker role, read again when it changes
    #[arg(long, value_name = "FILE", required_if_eq("roles", "worker"))]
    worker_token_file: Option<PathBuf>,
    #[command(flatten)]
    egress: EgressArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// A week of jobs is the least that can go.
fn history_days(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(days) if days == 0 || (7..=36_500).contains(&days) => Ok(days),
        Ok(_) | Err(_) => Err("7 to 36500 days, or 0 to keep everything".to_owned()),
    }
}

fn kept(days: u32) -> Option<Duration> {
    (days > 0).then(|| Duration::from_hours(u64::from(days) * 24))
}

/// At the end of the process, the last spans have so long to be sent.
const SPANS_MAX: Duration = Duration::from_secs(2);

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Role {
    /// Serves the HTTP contract
    Api,
    /// Runs the background passes; several processes may
    Duties,
    /// Evaluates segments, over the API of this process
    Worker,
}

pub(crate) async fn run(args: &ServeArgs, logs: &Logs) -> anyhow::Result<ExitCode> {
    let has = |role| args.roles.contains(&role);
    ensure!(
        !has(Role::Worker) || (has(Role::Api) && args.worker_token_file.is_some()),
        "the worker role works over this process's API: add the role `api` and --worker-token-file, or run `jobengine worker`"
    );
    // Before anything is started: a server that believes nobody is of no use.
    let authenticator = args.authenticator()?;
    let data = DataDir::open(args.data_dir.as_deref())?;
    let database = Database::open_with(&data, args.database_connections).await?;
    let keys = NodeKeys::open(&data, args.secret_file.as_deref())?;
    let registry = Registry::new();
    logs.observe(&registry);
    let (traces, exporting) = traces(args.otlp_endpoint.as_deref(), &registry)?;
    let settings = Settings {
        listen: args.listen,
        drain: Duration::from_secs(args.drain_seconds),
        lease: LeaseMs::new(args.lease_seconds.saturating_mul(1_000))?,
        window: Window {
            quiet: Duration::from_millis(args.window_quiet_ms),
            longest: Duration::from_millis(args.window_longest_ms),
        },
        segment_size: SegmentSize::new(args.segment_images)?,
        history: kept(args.history_days),
        egress: args.egress.policy()?,
        authorities: args.egress.authorities()?,
        admin_listen: Some(args.admin_listen),
        registry,
        traces,
        log: logs.control(),
        public_url: args.public_url.clone(),
        proxies: args.proxies.clone(),
    };
    // Over a private PostgreSQL there is no other process to wake.
    let queue: Arc<dyn Queue> = if database.embedded.is_some() {
        Arc::new(Local::new())
    } else {
        let process: uuid::Uuid = jobengine_store::draw(database.store.now().await?);
        Arc::new(Postgres::start(database.store.clone(), process.to_string()))
    };
    let mut node = Node::new(database.store.clone(), queue, keys, settings);
    let stop = CancellationToken::new();
    signals::stop_on_signal(stop.clone())?;
    let mut workers = None;
    if has(Role::Api) {
        let address = node.start_api(authenticator).await?;
        tracing::info!(%address, "the API listens on {address}");
        if let Some(file) = args
            .worker_token_file
            .as_ref()
            .filter(|_| has(Role::Worker))
        {
            let client = Client::builder(format!("http://{address}"))
                .token(TokenSource::file(file))
                .build()?;
            workers = Some(tokio::spawn(worker::work(
                client,
                worker::Settings::default(),
                stop.clone(),
            )));
        }
    } else {
        node.start_administration(authenticator).await?;
    }
    if has(Role::Duties) {
        node.start_duties(&data.spool());
    }
    // A worker ends before the API does: it gives back what it holds while the API still answers. One that cannot go
    // on ends the process.
    let worked = if let Some(workers) = workers {
        worker::ended(workers.await)
    } else {
        stop.cancelled().await;
        Ok(())
    };
    node.stop().await;
    database.close().await?;
    if let Some(exporting) = exporting {
        // Whatever holds the queue is gone by now, or does not end in time: then its last spans are lost.
        let _ = tokio::time::timeout(SPANS_MAX, exporting).await;
    }
    worked?;
    Ok(ExitCode::SUCCESS)
}

impl ServeArgs {
    /// Who is believed. Without the contract nobody has to be named: then only those operations of the
    /// administration are answered that ask for no token.
    fn authenticator(&self) -> anyhow::Result<Authenticator> {
        if self.roles.contains(&Role::Api) || self.trust.names_somebody() {
            self.trust.authenticator()
        } else {
            Ok(Authenticator::trusting([]))
        }
    }
}

/// Where spans go, and the task that sends them.
fn traces(
    endpoint: Option<&str>,
    registry: &Registry,
) -> anyhow::Result<(Traces, Option<JoinHandle<()>>)> {
    let Some(endpoint) = endpoint.filter(|endpoint| !endpoint.is_empty()) else {
        return Ok((Traces::off(registry), None));
    };
    let (traces, queue) = Traces::queued(registry);
    let exporting = trace::export(queue, endpoint, env!("CARGO_PKG_VERSION"))?;
    Ok((traces, Some(tokio::spawn(exporting))))
}
