//! `jobengine events verify`: what a signed event says, once its signature has been checked.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use jobengine_domain::digest::Digest;
use jobengine_domain::dsse;
use jobengine_domain::statement::{
    RUN_COMPLETION, STATEMENT_PAYLOAD_TYPE, STATEMENT_TYPE, Statement,
};
use jobengine_impact::completion::RunCompletion;
use serde::Serialize;

use crate::key_file;
use crate::output::{self, Output};

/// Check the signature of a completion event, offline
///
/// The event is a DSSE envelope, as a file from the spool or from
/// `GET /api/v1/scheduler/runs/{runId}/completion`. Nothing of it is believed unless one of the
/// given public keys signed it.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// The envelope; `-` reads standard input
    file: PathBuf,
    /// A trusted Ed25519 public key in PEM; may be given several times
    #[arg(long = "key", required = true, value_name = "PUBLIC.pem")]
    keys: Vec<PathBuf>,
    /// How to print what was verified
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// What was verified.
#[expect(
    clippy::struct_field_names,
    reason = "the printed object says `verified`"
)]
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verified {
    pub(crate) verified: bool,
    pub(crate) payload_type: String,
    pub(crate) key_id: String,
    pub(crate) payload_digest: Digest,
    pub(crate) statement: Statement<RunCompletion>,
}

pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let envelope = if args.file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin()).context("cannot read standard input")?
    } else {
        std::fs::read_to_string(&args.file)
            .with_context(|| format!("cannot read {}", args.file.display()))?
    };
    let keys = args
        .keys
        .iter()
        .map(|path| key_file::public(path))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let verified = verify(envelope.as_bytes(), &keys)?;
    match args.output {
        Output::Json => output::line(serde_json::to_string_pretty(&verified)?)?,
        Output::Table => output::print(&told(&verified))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Checks an envelope and reads the statement from the bytes that were signed.
pub(crate) fn verify(envelope: &[u8], keys: &[dsse::PublicKey]) -> anyhow::Result<Verified> {
    let (payload, key) = dsse::verify(envelope, STATEMENT_PAYLOAD_TYPE, keys)?;
    let statement: Statement<RunCompletion> = serde_json::from_slice(&payload)
        .context("the signed payload is not a statement about a completed run")?;
    anyhow::ensure!(
        statement.statement_type == STATEMENT_TYPE,
        "the signed payload is not an in-toto statement"
    );
    anyhow::ensure!(
        statement.predicate_type == RUN_COMPLETION,
        "the statement is of type {}, not {RUN_COMPLETION}",
        statement.predicate_type
    );
    Ok(Verified {
        verified: true,
        payload_type: STATEMENT_PAYLOAD_TYPE.to_owned(),
        key_id: key.key_id(),
        payload_digest: Digest::of(&payload),
        statement,
    })
}

/// The statement in a few lines.
fn told(verified: &Verified) -> String {
    let said = &verified.statement.predicate;
    let delta = said.delta;
    let lines = [
        format!("verified  signed by {}", verified.key_id),
        format!("run       {}", said.run_id),
        format!(
            "          generation {}, {}, {}",
            said.generation, said.mode, said.result
        ),
        format!(
            "images    {} of {} evaluated",
            said.images_evaluated, said.images_total
        ),
        format!(
            "delta     {} new, {} fixed; {} critical, {} high, {} known to be exploited",
            delta.new, delta.fixed, delta.critical, delta.high, delta.kev
        ),
        format!(
            "attempts  {}, {} ended because a worker vanished",
            said.attempts.len(),
            said.leases_expired
        ),
        format!("plan      {}", said.plan_digest),
        format!("inputs    {}", said.inputs_digest),
    ];
    lines.join("\n") + "\n"
}
