//! `jobengine doctor`: whether this machine can run the service, and what to do where it cannot. It looks, and makes
//! nothing: no directory, no key, no database.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use jobengine_store::embedded::{Binaries, Cluster, EmbeddedError, Standing};
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
    let dir = DataDir::named(args.data_dir.as_deref());
    let place = dir.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"));
    findings.push(look("data directory", place.and_then(DataDir::look)));
    if let Ok(dir) = &dir {
        findings.push(look("signing key", key(dir)));
    }
    if external {
        findings.push(look("DATABASE_URL", database().await));
    } else if let Ok(dir) = &dir {
        findings.push(look("private database", private_database(dir)));
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
    let key = match dir.existing_keys()? {
        None => None,
        Some(keys) => key_file::open(&keys, key_file::COMPLETION)?,
    };
    Ok(match key {
        None => "none yet; the first start makes one".to_owned(),
        Some(key) => key.signing_key().public().key_id(),
    })
}

async fn database() -> anyhow::Result<String> {
    let database = Database::look_external().await?;
    let store = database.context("DATABASE_URL is not set")?.store;
    if let Some(complaint) = store.schema_complaint().await? {
        bail!("{complaint}");
    }
    let version = store.server_version().await?;
    Ok(format!(
        "PostgreSQL {version}, schema present, row-level security binds the service"
    ))
}

/// What stands on the disk. Whether it is whole only a start can tell.
fn private_database(dir: &DataDir) -> anyhow::Result<String> {
    Ok(match Cluster::look(&dir.postgres())? {
        Standing::Absent => "none yet; the first start makes one".to_owned(),
        Standing::Stopped { version } => format!("stopped; PostgreSQL {version} fits its data"),
        Standing::Held { holder } => format!("process {holder} runs it"),
    })
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
