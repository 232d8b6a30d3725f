//! `jobengine match`: findings for some SBOMs, offline and without a server.

mod inputs;
mod report;
mod summary;
mod table;
mod unpack;
mod walk;

use std::path::PathBuf;
use std::process::ExitCode;

use self::inputs::{Inputs, Level};
use self::report::Report;
use crate::output::{self, Output};
use crate::progress::Progress;

/// Say which components of some SBOMs have known flaws
///
/// Reads everything from files, needs no server and no network, and gives the same bytes for the
/// same input. A file that cannot be read is named with the place and the reason; the others still
/// count, and the exit code is 1. A record without any version range among others of a feed is
/// only warned of, and so is a part of a record that cannot be read: the rest of it counts.
///
/// A directory is searched for *.json, *.jsonl and *.ndjson; each may be packed with zstd (.zst) or
/// gzip (.gz).
#[derive(Debug, clap::Args)]
pub(crate) struct MatchArgs {
    /// SBOMs: CycloneDX JSON 1.2 to 1.6, SPDX JSON 2.2 and 2.3; files or directories
    #[arg(long = "sbom", value_name = "PATH", required = true, num_args = 1..)]
    sboms: Vec<PathBuf>,
    /// Advisories in OSV form: single records, arrays or JSON Lines; files or directories
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    advisories: Vec<PathBuf>,
    /// OpenVEX documents; files or directories
    #[arg(long, value_name = "PATH", num_args = 1..)]
    vex: Vec<PathBuf>,
    /// The catalogue of known exploited vulnerabilities, as CISA publishes it
    #[arg(long, value_name = "FILE")]
    kev: Option<PathBuf>,
    /// CVSS vectors for advisories that carry none: JSON Lines of `{"cve", "cvss_v3", "cvss_v4"}`
    #[arg(long, value_name = "FILE", num_args = 1..)]
    severity: Vec<PathBuf>,
    /// What to print: one table for each SBOM, the worst first, or one object sorted by SBOM, purl
    /// and advisory
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Reads, judges and prints. Findings are no failure; an input that could not be read is.
///
/// # Errors
/// When the result cannot be written.
pub(crate) fn run(args: &MatchArgs) -> anyhow::Result<ExitCode> {
    let mut progress = Progress::start();
    let inputs = Inputs::read(args, &mut progress);
    progress.phase("judging", 0);
    let report = Report::new(&inputs);
    progress.finish();

    for problem in &inputs.problems {
        eprintln!("{}: {problem}", problem.level);
    }
    let text = match args.output {
        Output::Table => table::render(&report),
        Output::Json => serde_json::to_string(&report)? + "\n",
    };
    output::print(&text)?;
    eprint!("{}", report.summary);
    let failed = inputs
        .problems
        .iter()
        .any(|problem| problem.level == Level::Error);
    Ok(ExitCode::from(u8::from(failed)))
}
