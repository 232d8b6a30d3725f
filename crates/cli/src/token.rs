//! `jobengine token mint` and `token key`: tokens of the data directory's own issuer.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use jobengine_api::{DevIssuer, TokenRequest};
use jobengine_domain::caller::Scope;
use jobengine_domain::id::{ProjectId, TenantId};

use crate::data_dir::DataDir;
use crate::{key_file, output};

/// Who issues the built-in tokens, and for whom.
pub(crate) const ISSUER: &str = "urn:jobengine:issuer";
/// The service, as tokens name it.
pub(crate) const AUDIENCE: &str = "urn:jobengine";

/// Make a bearer token, signed with the issuer key of the data directory
///
/// `dev` believes these tokens; `serve` does when it is told to, with
/// `--token-key "$(jobengine token key)"`.
#[derive(Debug, clap::Args)]
pub(crate) struct MintArgs {
    /// For which tenant
    #[arg(long)]
    tenant: TenantId,
    /// The principal, as audit and sessions name it
    #[arg(long, default_value = "operator")]
    subject: String,
    /// Binds the token to one project
    #[arg(long)]
    project: Option<ProjectId>,
    /// What it may do, several separated by commas, such as `orch:read,orch:submit` or, for a
    /// worker, `orch:worker`; all scopes unless given
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',', value_parser = scope)]
    scopes: Vec<Scope>,
    /// How long it holds, 60 at most
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=60), value_name = "MINUTES")]
    minutes: u32,
    /// Whose issuer key
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Print where the public half of the issuer key is, for `serve --token-key`
///
/// Makes the key when there is none.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyArgs {
    /// Whose issuer key
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

pub(crate) fn key(args: &KeyArgs) -> anyhow::Result<ExitCode> {
    let data = DataDir::open(args.data_dir.as_deref())?;
    let keys = data.keys()?;
    key_file::open_or_create(&keys, key_file::ISSUER)?;
    output::line(key_file::public_path(&keys, key_file::ISSUER).display())?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn mint(args: MintArgs) -> anyhow::Result<ExitCode> {
    let issuer = issuer(&DataDir::open(args.data_dir.as_deref())?)?;
    let token = issuer.mint(&TokenRequest {
        subject: args.subject,
        tenant: args.tenant,
        project: args.project,
        scopes: if args.scopes.is_empty() {
            Scope::ALL.to_vec()
        } else {
            args.scopes
        },
        ttl_s: args.minutes * 60,
    })?;
    output::line(token)?;
    Ok(ExitCode::SUCCESS)
}

/// The built-in issuer of a data directory; its key is made on first use.
pub(crate) fn issuer(dir: &DataDir) -> anyhow::Result<DevIssuer> {
    let seed = key_file::open_or_create(&dir.keys()?, key_file::ISSUER)?;
    DevIssuer::from_seed(ISSUER, AUDIENCE, seed.bytes()).context("the issuer key is unusable")
}

fn scope(text: &str) -> Result<Scope, String> {
    text.parse()
        .map_err(|error: jobengine_domain::caller::UnknownScope| {
            let known: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
            format!("{error}; known are {}", known.join(", "))
        })
}
