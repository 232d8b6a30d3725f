//! `jobengine audit verify`: what an export of the audit trail is worth, offline.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use jobengine_domain::audit::checkpoint::Checkpoint;
use jobengine_domain::audit::finding::{Finding, Verdict};
use jobengine_domain::audit::verify::Verifier;
use jobengine_domain::dsse::PublicKey;
use serde_json::Value;

use crate::output::{self, Output};
use crate::{FAILED, key_file};

/// Read at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// A file of checkpoints is no longer than this.
const HELD_MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Check an export of the audit trail, offline
///
/// Needs the file and the public key, and neither a server nor a database. Says what was edited,
/// removed, inserted, exchanged or cut off, and where. That the whole database was rolled back shows
/// only against a checkpoint that was kept outside: name them with `--checkpoint`, as files from the
/// spool or as `jobengine audit checkpoints --output json` printed them.
///
/// Ends with 1 when anything is wrong.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// The export; `-` reads standard input
    file: PathBuf,
    /// A trusted Ed25519 public key in PEM; may be given several times
    #[arg(long = "key", required = true, value_name = "PUBLIC.pem")]
    keys: Vec<PathBuf>,
    /// Checkpoints that were kept outside: history must continue them; may be given several times
    #[arg(long = "checkpoint", value_name = "FILE", num_args = 1..)]
    checkpoints: Vec<PathBuf>,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(crate) fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let keys = args
        .keys
        .iter()
        .map(|path| key_file::public(path))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut held = Vec::new();
    for path in &args.checkpoints {
        held.extend(checkpoints(path, &keys)?);
    }
    let verdict = if args.file.as_os_str() == "-" {
        judge(std::io::stdin().lock(), &keys, held).context("cannot read standard input")?
    } else {
        File::open(&args.file)
            .and_then(|file| judge(file, &keys, held))
            .with_context(|| format!("cannot read {}", args.file.display()))?
    };
    match args.output {
        Output::Json => output::line(serde_json::to_string_pretty(&verdict)?)?,
        Output::Table => output::print(&told(&verdict))?,
    }
    Ok(if verdict.sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

fn judge(
    mut export: impl Read,
    keys: &[PublicKey],
    held: Vec<Checkpoint>,
) -> std::io::Result<Verdict> {
    let mut verifier = Verifier::new(keys, held);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match export.read(&mut chunk) {
            Ok(0) => return Ok(verifier.finish()),
            Ok(read) => verifier.feed(&chunk[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads checkpoints that were kept: an envelope, several in a row, or a list of objects with one each.
fn checkpoints(path: &Path, keys: &[PublicKey]) -> anyhow::Result<Vec<Checkpoint>> {
    let said = || format!("{} holds no checkpoints", path.display());
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(HELD_MAX_BYTES).read_to_string(&mut text))
        .with_context(|| format!("cannot read {}", path.display()))?;
    let mut held = Vec::new();
    for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
        let values = match value.with_context(said)? {
            Value::Array(values) => values,
            one => vec![one],
        };
        for mut value in values {
            let envelope = match value.get_mut("envelope") {
                Some(envelope) => envelope.take(),
                None => value,
            };
            let (checkpoint, _) = Checkpoint::open(envelope.to_string().as_bytes(), keys)
                .with_context(|| format!("a checkpoint of {} cannot be trusted", path.display()))?;
            held.push(checkpoint);
        }
    }
    anyhow::ensure!(!held.is_empty(), said());
    Ok(held)
}

/// The verdict in a few lines, and a table of what is wrong.
fn told(verdict: &Verdict) -> String {
    let named = |name: Option<String>| name.unwrap_or_else(|| "-".to_owned());
    let mut lines = vec![
        if verdict.sound {
            "sound         nothing is wrong".to_owned()
        } else {
            format!("NOT SOUND     faults: {}", verdict.faults)
        },
        format!(
            "tenant        {}",
            named(verdict.tenant.map(|tenant| tenant.to_string()))
        ),
        format!("installation  {}", named(verdict.origin.clone())),
        format!(
            "rows          {} read, {} to {} sealed",
            verdict.rows, verdict.first, verdict.last
        ),
        format!(
            "checkpoints   {} read, {} held outside met",
            verdict.checkpoints, verdict.held
        ),
    ];
    lines.extend(
        verdict
            .keys
            .iter()
            .map(|key| format!("signed by     {key}")),
    );
    let mut text = lines.join("\n") + "\n";
    if !verdict.findings.is_empty() {
        let mut table = output::table();
        table.set_header(["LINE", "ROWS", "FAULT", "WHAT"]);
        for finding in &verdict.findings {
            table.add_row([
                finding
                    .line
                    .map_or_else(String::new, |line| line.to_string()),
                rows(finding),
                finding.fault.to_string(),
                finding.detail.clone(),
            ]);
        }
        text.push('\n');
        text.push_str(&output::draw(table));
    }
    let hidden = verdict.faults.saturating_sub(verdict.findings.len() as u64);
    if hidden > 0 {
        let _ = writeln!(text, "and {hidden} more");
    }
    text
}

fn rows(finding: &Finding) -> String {
    match (finding.first, finding.last) {
        (Some(first), Some(last)) if first < last => format!("{first}-{last}"),
        (Some(row), _) | (None, Some(row)) => row.to_string(),
        (None, None) => String::new(),
    }
}
