//! `jobengine doctor`: whether this machine can run the service, and what to do where it cannot.

use std::path::PathBuf;
use std::process::ExitCode;

use jobengine_store::embedded::{Binaries, EmbeddedError};
use serde::Serialize;

use crate::data_dir::DataDir;
use crate::database::Database;
use crate::key_file;
use crate::output::{self, Output};

/// Look whether this machine can run the service, and say what to do where it cannot
#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// Which data directory to look at
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    ok: bool,
    detail: String,
}

pub(crate) async fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let mut findings = Vec::new();
    let external = std::env::var_os("DATABASE_URL").is_some()
        || std::env::var_os("DATABASE_URL_FILE").is_some();
    if !external {
        findings.push(look("postgresql", postgresql()));
    }
    let dir = DataDir::open(args.data_dir.as_deref());
    findings.push(look(
        "data directory",
        dir.as_ref()
            .map_err(|error| anyhow::anyhow!("{error:#}"))
            .and_then(DataDir::check),
    ));
    if let Ok(dir) = dir {
        findings.push(look("signing key", key(&dir)));
        findings.push(look(
            if external {
                "DATABASE_URL"
            } else {
                "private database"
            },
            database(&dir).await,
        ));
    }
    let healthy = findings.iter().all(|finding| finding.ok);
    match args.output {
        Output::Json => output::line(serde_json::to_string_pretty(&findings)?)?,
        Output::Table => output::print(&drawn(&findings))?,
    }
    Ok(ExitCode::from(u8::from(!healthy)))
}

fn look(check: &'static str, found: anyhow::Result<String>) -> Finding {
    match found {
        Ok(detail) => Finding {
            check,
            ok: true,
            detail,
        },
        Err(error) => Finding {
            check,
            ok: false,
            detail: format!("{error:#}"),
        },
    }
}

fn postgresql() -> anyhow::Result<String> {
    let newest = Binaries::installed().into_iter().next();
    let newest = newest.ok_or(EmbeddedError::NotInstalled)?;
    Ok(format!(
        "PostgreSQL {} in {}",
        newest.version,
        newest.dir.display()
    ))
}

fn key(dir: &DataDir) -> anyhow::Result<String> {
    let key = key_file::open_or_create(&dir.keys()?, key_file::COMPLETION)?;
    Ok(key.signing_key().public().key_id())
}

async fn database(dir: &DataDir) -> anyhow::Result<String> {
    let database = match Database::open(dir).await {
        Ok(database) => database,
        Err(error) => return in_use(error),
    };
    let version = database.store.server_version().await?;
    database.close().await?;
    Ok(format!(
        "PostgreSQL {version}, schema present, row-level security binds the service"
    ))
}

/// A private database that a process of ours holds is in good hands.
fn in_use(error: anyhow::Error) -> anyhow::Result<String> {
    match error.downcast_ref::<EmbeddedError>() {
        Some(EmbeddedError::InUse { holder, .. }) => Ok(format!("process {holder} runs it")),
        _ => Err(error),
    }
}

fn drawn(findings: &[Finding]) -> String {
    let mut table = output::table();
    for finding in findings {
        table.add_row([
            if finding.ok { "ok" } else { "FAILED" },
            finding.check,
            &finding.detail,
        ]);
    }
    output::draw(table)
}
