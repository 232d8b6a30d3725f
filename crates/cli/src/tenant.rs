//! `jobengine tenant create`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;
use jobengine_domain::id::TenantId;
use jobengine_domain::time::Timestamp;
use serde_json::json;

use crate::data_dir::DataDir;
use crate::database::Database;
use crate::output::{self, Output};

/// Make a tenant, and print its id
#[derive(Debug, clap::Args)]
pub(crate) struct CreateArgs {
    /// What people call it
    name: String,
    /// Its share among tenants when there is more work than workers, 1 to 1000
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    weight: u32,
    /// Where the private PostgreSQL lives, unless `DATABASE_URL` is set
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(crate) async fn create(args: &CreateArgs) -> anyhow::Result<ExitCode> {
    let database = Database::open(&DataDir::open(args.data_dir.as_deref())?).await?;
    // An id needs a moment, and the ledger's clock is the one that counts.
    let now: Timestamp = database.store.now().await?;
    let tenant: TenantId = jobengine_store::draw(now);
    let made = database
        .store
        .tenant_create_by_hand(tenant, &args.name, args.weight)
        .await;
    database.close().await?;
    ensure!(made?, "there is a tenant called {}", args.name);
    match args.output {
        Output::Table => output::line(tenant)?,
        Output::Json => {
            output::line(json!({ "tenantId": tenant, "name": args.name, "weight": args.weight }))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
