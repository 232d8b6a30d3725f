//! `cargo x demo`: the release binary does its main job once.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::metadata::Metadata;
use crate::process::{self, cargo};
use crate::setup;

/// How to show it.
#[derive(clap::Args)]
pub(crate) struct Demo {
    /// Runs with --json and checks that what must hold on every machine holds
    #[arg(long, conflicts_with = "args")]
    check: bool,
    /// Passed on to `jobengine demo`, for example `-- --json`
    #[arg(last = true)]
    args: Vec<OsString>,
}

/// Builds and runs the demo.
///
/// # Errors
/// Something is missing, the build fails, or with `--check` the report is not what it must be.
pub(crate) fn run(demo: &Demo) -> Result<ExitCode> {
    setup::run()?;
    let binary = build()?;
    let mut command = Command::new(&binary);
    command.arg("demo");
    if demo.check {
        return check(command.arg("--json"));
    }
    // Becomes the demo: its output, its exit code and Ctrl-C are then its own.
    let error = command.args(&demo.args).exec();
    Err(error).with_context(|| format!("could not start {}", binary.display()))
}

/// Builds the release binary, saying so on standard error only.
fn build() -> Result<PathBuf> {
    process::run(&mut cargo([
        "build",
        "--release",
        "--locked",
        "--package",
        "jobengine-cli",
        "--bin",
        "jobengine",
    ]))?;
    Ok(Metadata::load()?.target_directory.join("release/jobengine"))
}

fn check(command: &mut Command) -> Result<ExitCode> {
    let started = Instant::now();
    let bytes = process::read(command)?;
    let took = started.elapsed();
    println!("{}", String::from_utf8_lossy(&bytes).trim_end());
    let report: Report =
        serde_json::from_slice(&bytes).context("standard output is not the one JSON object")?;
    let broken = report.broken();
    if !broken.is_empty() {
        bail!(
            "the demo's report breaks what must hold:\n  {}",
            broken.join("\n  ")
        );
    }
    eprintln!(
        "the demo took {:.1} s and its report holds",
        took.as_secs_f64()
    );
    Ok(ExitCode::SUCCESS)
}

/// What `jobengine demo --json` prints.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Report {
    images: u64,
    components: u64,
    advisories: u64,
    first_run: FirstRun,
    delta: Delta,
    second_run: SecondRun,
    event: Event,
    timings_ms: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FirstRun {
    run_id: String,
    segments: u64,
    findings: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Delta {
    advisories_changed: u64,
    images_impacted: u64,
    images_total: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SecondRun {
    run_id: String,
    segments: u64,
    attempts: u64,
    leases_expired: u64,
    new_findings: u64,
    fixed_findings: u64,
    critical: u64,
    high: u64,
    kev: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Event {
    payload_type: String,
    key_id: String,
    verified: bool,
}

impl Report {
    /// What must hold on every machine and does not.
    fn broken(&self) -> Vec<&'static str> {
        let Self {
            first_run,
            delta,
            second_run,
            event,
            ..
        } = self;
        let found = second_run.new_findings;
        [
            (self.images >= 20, "at least 20 images"),
            (self.components >= 3_000, "at least 3,000 components"),
            (self.advisories >= 1_000, "at least 1,000 advisories"),
            (
                self.images == delta.images_total,
                "the delta is held against every image",
            ),
            (
                first_run.segments > 0 && first_run.findings > 0,
                "the first run finds something",
            ),
            (
                delta.advisories_changed > 0,
                "the second snapshot changes advisories",
            ),
            (delta.images_impacted > 0, "the delta hits some images"),
            (
                delta.images_impacted < delta.images_total,
                "the delta spares some images",
            ),
            (
                first_run.run_id != second_run.run_id,
                "the delta has a run of its own",
            ),
            (
                second_run.leases_expired >= 1,
                "a killed worker's lease expires",
            ),
            (
                second_run.attempts > second_run.segments,
                "the lost segment is tried again",
            ),
            (
                found + second_run.fixed_findings > 0,
                "the delta changes findings",
            ),
            (
                second_run.critical <= found && second_run.high <= found && second_run.kev <= found,
                "critical, high and KEV are parts of the new findings",
            ),
            (
                event.payload_type == "application/vnd.in-toto+json",
                "the event is in-toto",
            ),
            (
                !event.key_id.is_empty() && event.verified,
                "the event verifies under a named key",
            ),
            (!self.timings_ms.is_empty(), "the story is timed"),
        ]
        .into_iter()
        .filter_map(|(holds, rule)| (!holds).then_some(rule))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{
        "images": 24, "components": 4000, "advisories": 1200,
        "firstRun": {"runId": "a", "segments": 3, "findings": 40},
        "delta": {"advisoriesChanged": 9, "imagesImpacted": 7, "imagesTotal": 24},
        "secondRun": {"runId": "b", "segments": 2, "attempts": 3, "leasesExpired": 1,
            "newFindings": 5, "fixedFindings": 1, "critical": 1, "high": 2, "kev": 0},
        "event": {"payloadType": "application/vnd.in-toto+json", "keyId": "k", "verified": true},
        "timingsMs": {"total": 20000}
    }"#;

    fn check(from: &str, to: &str, expected: &[&str]) {
        assert!(GOOD.contains(from), "{from}");
        let report: Report = serde_json::from_str(&GOOD.replace(from, to)).expect("a report");
        assert_eq!(report.broken(), expected);
    }

    #[test]
    fn a_report_is_held_against_what_must_hold() {
        check("\"kev\": 0", "\"kev\": 1", &[]);
        check(
            "\"leasesExpired\": 1",
            "\"leasesExpired\": 0",
            &["a killed worker's lease expires"],
        );
        check(
            "\"imagesImpacted\": 7",
            "\"imagesImpacted\": 0",
            &["the delta hits some images"],
        );
        check(
            "\"imagesImpacted\": 7",
            "\"imagesImpacted\": 24",
            &["the delta spares some images"],
        );
        check("true", "false", &["the event verifies under a named key"]);
        check(
            "\"attempts\": 3",
            "\"attempts\": 2",
            &["the lost segment is tried again"],
        );
    }
}
