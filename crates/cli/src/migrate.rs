//! `jobengine migrate`: brings the schema up to date.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::data_dir::DataDir;
use crate::database::{Database, migrate_external};
use crate::output;

/// Bring the database's schema up to date
///
/// Connects as the administrator that `DATABASE_ADMIN_URL` (or `DATABASE_URL`) names, makes the
/// roles `orch_owner`, `orch_app` and `orch_sched` where they are missing, and runs the missing
/// migrations. Without either variable it does so in the private PostgreSQL of the data directory.
#[derive(Debug, clap::Args)]
pub(crate) struct MigrateArgs {
    /// Where the private PostgreSQL lives
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

pub(crate) async fn run(args: &MigrateArgs) -> anyhow::Result<ExitCode> {
    if let Some(applied) = migrate_external().await? {
        for name in &applied {
            output::line(format_args!("applied {name}"))?;
        }
        output::line(if applied.is_empty() {
            "The schema was up to date."
        } else {
            "The schema is up to date. The service connects as orch_app and orch_sched."
        })?;
    } else {
        let database = Database::open(&DataDir::open(args.data_dir.as_deref())?).await?;
        database.close().await?;
        output::line("The schema of the private PostgreSQL is up to date.")?;
    }
    Ok(ExitCode::SUCCESS)
}
