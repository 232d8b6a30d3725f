//! `jobengine dev`: everything in one process.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jobengine_api::{DevIssuer, TokenRequest};
use jobengine_domain::caller::Scope;
use jobengine_domain::egress::EgressPolicy;
use jobengine_domain::id::TenantId;
use jobengine_queue::Local;
use jobengine_sdk::{Client, TokenSource};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::data_dir::DataDir;
use crate::database::Database;
use crate::node::{Node, Settings};
use crate::node_keys::NodeKeys;
use crate::{key_file, output, signals, token, worker};

/// Run everything in one process: database, API, background passes and a worker
///
/// Starts a private PostgreSQL in the data directory (unless `DATABASE_URL` names another), serves
/// the API on loopback, and prints its address and a token. For trying things and for developing
/// workers; the data stays between starts.
#[derive(Debug, clap::Args)]
pub(crate) struct DevArgs {
    /// Where data, keys and events are kept
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Port of the API on loopback
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

/// The tenant that `dev` works for.
const TENANT: TenantId = TenantId(Uuid::from_u128(0x0001_0000_7000_8000_0000_0000_0001));
/// Tokens hold for an hour; new ones are written in time.
const TOKEN_S: u32 = 3_600;
const TOKEN_RENEWAL: Duration = Duration::from_mins(20);
/// Before an evaluator that ended starts again.
const EVALUATOR_PAUSE: Duration = Duration::from_secs(2);

pub(crate) async fn run(args: &DevArgs) -> anyhow::Result<ExitCode> {
    let data = DataDir::open(args.data_dir.as_deref())?;
    eprintln!("Starting; data and keys are kept in {data}");
    let database = Database::open(&data).await?;
    database.store.tenant_create(TENANT, "dev", 1).await?;
    let keys = NodeKeys::open(&data, None)?;
    let issuer = token::issuer(&data)?;
    let settings = Settings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, args.port)),
        // Whoever tries webhooks has their receiver here.
        egress: EgressPolicy::default().with_loopback(),
        ..Settings::default()
    };
    let mut node = Node::new(
        database.store.clone(),
        Arc::new(Local::new()),
        keys,
        settings,
    );
    let address = node.start_api(issuer.authenticator()).await?;
    node.start_duties(&data.spool());

    let tokens = Tokens {
        issuer,
        operator: data.file("dev.token"),
        worker: data.file("worker.token"),
    };
    tokens.write()?;
    let url = format!("http://{address}");
    let client = Client::builder(&url)
        .token(TokenSource::file(&tokens.worker))
        .build()?;
    output::print(&welcome(&url, &tokens.operator, &data))?;

    // The worker ends before the node does: it gives back what it holds while the API still answers.
    let stop = CancellationToken::new();
    signals::stop_on_signal(stop.clone())?;
    tokio::join!(evaluate(&client, &tokens, &stop), tokens.renew(&stop));
    node.stop().await;
    database.close().await?;
    Ok(ExitCode::SUCCESS)
}

/// Keeps an evaluator at work: one that is refused, because somebody took its token back, starts again
/// with a new one. The API goes on meanwhile.
async fn evaluate(client: &Client, tokens: &Tokens, stop: &CancellationToken) {
    loop {
        let work = worker::work(client.clone(), worker::Settings::default(), stop.clone());
        let ended = worker::ended(tokio::spawn(work).await);
        if stop.is_cancelled() {
            return;
        }
        if let Err(error) = ended {
            let pause = EVALUATOR_PAUSE.as_secs();
            tracing::warn!("no segment is evaluated for {pause} s: {error:#}");
        }
        let pause = tokio::time::sleep(EVALUATOR_PAUSE);
        if stop.run_until_cancelled(pause).await.is_some() {
            tokens.rewrite();
        }
    }
}

/// What a newcomer needs to go on.
fn welcome(url: &str, token: &Path, data: &DataDir) -> String {
    let (token, events) = (token.display(), data.spool());
    format!(
        "API        {url}/api/v1\n\
         contract   {url}/openapi/orchestrator.json\n\
         tenant     {TENANT}\n\
         token      {token} (a new one every 20 minutes)\n\
         events     {}\n\n\
         Try, in another terminal:\n  \
         curl -H \"Authorization: Bearer $(cat {token})\" \\\n    \
         {url}/api/v1/orchestrator/jobs\n\n\
         Stop with Ctrl-C.\n",
        events.display()
    )
}

/// The files with the tokens of `dev`.
struct Tokens {
    issuer: DevIssuer,
    operator: PathBuf,
    worker: PathBuf,
}

impl Tokens {
    async fn renew(&self, stop: &CancellationToken) {
        let sleep = || tokio::time::sleep(TOKEN_RENEWAL);
        while stop.run_until_cancelled(sleep()).await.is_some() {
            self.rewrite();
        }
    }

    /// New tokens, or a line in the log: those of before hold for a while.
    fn rewrite(&self) {
        if let Err(error) = self.write() {
            tracing::warn!("the tokens cannot be renewed: {error:#}");
        }
    }

    fn write(&self) -> anyhow::Result<()> {
        for (path, subject, scopes) in [
            (&self.operator, "operator", Scope::ALL.to_vec()),
            (&self.worker, "worker", vec![Scope::Worker]),
        ] {
            let request = TokenRequest {
                subject: subject.to_owned(),
                tenant: TENANT,
                project: None,
                scopes,
                ttl_s: TOKEN_S,
            };
            key_file::write_private(path, &self.issuer.mint(&request)?)?;
        }
        Ok(())
    }
}
