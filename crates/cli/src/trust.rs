//! Whose tokens a server believes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use jobengine_api::{Algorithm, Authenticator, KeySource, TrustedIssuer};
use jobengine_domain::id::TenantId;
use serde::Deserialize;

use crate::{key_file, token};

/// Whose tokens are believed: at least one issuer has to be named
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Whose tokens are believed")]
pub(crate) struct TrustArgs {
    /// An OIDC issuer, spelled as its tokens name it in `iss`
    #[arg(long, value_name = "ISSUER", requires = "jwks")]
    oidc_issuer: Option<String>,
    /// What its tokens must name as `aud`
    #[arg(long, value_name = "AUDIENCE", default_value = token::AUDIENCE)]
    oidc_audience: String,
    /// Where its keys are: https, or http on this machine
    #[arg(long, value_name = "URL", group = "jwks", requires = "oidc_issuer")]
    jwks_url: Option<String>,
    /// The file its keys are in (a JWK set), read again when it changes
    #[arg(long, value_name = "FILE", group = "jwks", requires = "oidc_issuer")]
    jwks_file: Option<PathBuf>,
    /// Algorithms its keys may be for, several separated by commas: EdDSA, ES256, PS256
    #[arg(long, value_name = "ALGORITHM", value_delimiter = ',', default_values_t = Algorithm::USUAL)]
    token_algorithms: Vec<Algorithm>,
    /// Public key (Ed25519, PEM) of an issuer without a key set, several while keys rotate; that of
    /// `jobengine token mint` is where `jobengine token key` says
    #[arg(long = "token-key", value_name = "PUBLIC.pem")]
    token_keys: Vec<PathBuf>,
    /// What tokens under --token-key must name as `iss`
    #[arg(long, default_value = token::ISSUER)]
    issuer: String,
    /// What tokens under --token-key must name as `aud`
    #[arg(long, default_value = token::AUDIENCE)]
    audience: String,
    /// Further issuers, as `[[issuer]]` tables of a TOML file: name, audience, `jwks_url` or `jwks_file`,
    /// and if need be algorithms and the tenants it speaks for
    #[arg(long, value_name = "FILE")]
    issuers: Option<PathBuf>,
}

/// The file of further issuers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuersFile {
    issuer: Vec<IssuerEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerEntry {
    name: String,
    audience: String,
    jwks_url: Option<String>,
    jwks_file: Option<PathBuf>,
    algorithms: Option<Vec<String>>,
    tenants: Option<Vec<TenantId>>,
}

impl TrustArgs {
    /// Whether an issuer was named.
    pub(crate) const fn names_somebody(&self) -> bool {
        self.oidc_issuer.is_some() || !self.token_keys.is_empty() || self.issuers.is_some()
    }

    /// Believes the issuers that were named.
    ///
    /// # Errors
    /// When there is none, or a key, a file or a URL is not what it should be.
    pub(crate) fn authenticator(&self) -> anyhow::Result<Authenticator> {
        let mut issuers = Vec::new();
        if let Some(name) = &self.oidc_issuer {
            let keys = key_source(
                self.jwks_url.as_deref(),
                self.jwks_file.clone(),
                &self.token_algorithms,
            )?;
            issuers.push(TrustedIssuer::new(name, &self.oidc_audience, keys));
        }
        if !self.token_keys.is_empty() {
            let keys: Vec<_> = self
                .token_keys
                .iter()
                .map(|path| key_file::public(path))
                .collect::<anyhow::Result<_>>()?;
            let keys = KeySource::fixed(keys);
            issuers.push(TrustedIssuer::new(&self.issuer, &self.audience, keys));
        }
        if let Some(path) = &self.issuers {
            issuers
                .extend(read(path).with_context(|| format!("the issuers of {}", path.display()))?);
        }
        ensure!(
            !issuers.is_empty(),
            "this server would believe nobody's tokens: name an issuer with --oidc-issuer and --jwks-url or \
             --jwks-file, or its public key with --token-key. The key of `jobengine token mint` is used with\n  \
             --token-key \"$(jobengine token key)\"\nand for trying things there is `jobengine dev`"
        );
        Ok(Authenticator::trusting(issuers))
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<TrustedIssuer>> {
    let file: IssuersFile = toml::from_str(&fs::read_to_string(path)?)?;
    let trusted = |entry: IssuerEntry| {
        let named = entry.algorithms.unwrap_or_default();
        let mut algorithms: Vec<Algorithm> = named
            .iter()
            .map(|name| name.parse())
            .collect::<Result<_, _>>()?;
        if algorithms.is_empty() {
            algorithms.extend(Algorithm::USUAL);
        }
        let keys = key_source(entry.jwks_url.as_deref(), entry.jwks_file, &algorithms)
            .with_context(|| format!("the issuer {}", entry.name))?;
        let issuer = TrustedIssuer::new(entry.name, entry.audience, keys);
        Ok(match entry.tenants {
            Some(tenants) => issuer.for_tenants(tenants),
            None => issuer,
        })
    };
    file.issuer.into_iter().map(trusted).collect()
}

fn key_source(
    url: Option<&str>,
    file: Option<PathBuf>,
    algorithms: &[Algorithm],
) -> anyhow::Result<KeySource> {
    let algorithms = algorithms.iter().copied();
    match (url, file) {
        (Some(url), None) => Ok(KeySource::url(url, algorithms)?),
        (None, Some(file)) => {
            // Missing now, it may come later; but a misspelled path should be noticed at once.
            ensure!(file.is_file(), "there is no key set at {}", file.display());
            Ok(KeySource::file(file, algorithms))
        }
        _ => bail!("name either the URL or the file of its key set"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        trust: TrustArgs,
    }

    fn trusts(args: &[&str]) -> Result<(), String> {
        let line = Line::try_parse_from(std::iter::once(&"serve").chain(args));
        let line = line.map_err(|error| error.to_string())?;
        let made = line.trust.authenticator();
        made.map(drop).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_server_has_to_believe_somebody() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let jwks = write("keys.json", "{}");
        let issuers = write(
            "issuers.toml",
            &format!(
                "[[issuer]]\nname = \"https://a\"\naudience = \"jobs\"\njwks_file = \"{jwks}\"\n\
                 algorithms = [\"PS256\"]\ntenants = [\"00000000-0000-7000-8000-000000000001\"]\n"
            ),
        );
        for good in [
            &["--oidc-issuer", "https://a", "--jwks-file", &jwks][..],
            &[
                "--oidc-issuer",
                "https://a",
                "--jwks-url",
                "http://127.0.0.1/k",
            ],
            &["--issuers", &issuers],
        ] {
            assert_eq!(trusts(good), Ok(()), "{good:?}");
        }
        let unknown = write(
            "unknown.toml",
            "[[issuer]]\nname = \"a\"\naudience = \"b\"\nx = 1\n",
        );
        let neither = write(
            "neither.toml",
            "[[issuer]]\nname = \"a\"\naudience = \"b\"\n",
        );
        for (bad, why) in [
            (&[][..], "believe nobody"),
            (&["--oidc-issuer", "https://a"], "--jwks-url"),
            (&["--jwks-file", &jwks], "--oidc-issuer"),
            (
                &["--oidc-issuer", "https://a", "--jwks-url", "http://a/k"],
                "https URL",
            ),
            (
                &["--oidc-issuer", "https://a", "--jwks-file", "/nowhere"],
                "no key set",
            ),
            (
                &[
                    "--oidc-issuer",
                    "https://a",
                    "--jwks-file",
                    &jwks,
                    "--jwks-url",
                    "https://a",
                ],
                "cannot be used",
            ),
            (
                &[
                    "--oidc-issuer",
                    "https://a",
                    "--jwks-file",
                    &jwks,
                    "--token-algorithms",
                    "HS256",
                ],
                "none of",
            ),
            (&["--token-key", &jwks], "public key"),
            (&["--issuers", &unknown], "unknown field"),
            (&["--issuers", &neither], "either the URL or the file"),
        ] {
            let error = trusts(bad).unwrap_err();
            assert!(error.contains(why), "{bad:?}: {error}");
        }
    }
}
