//! Proofs of possession (RFC 9449): a bound token counts only together with one, and each once.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jobengine_domain::digest::Digest;
use jobengine_domain::time::Timestamp;
use jobengine_store::secret::{InstallationSecret, Purpose};
use serde::Deserialize;
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use super::jws::Jws;
use super::key::{Algorithm, VerifyingKey};

/// The type of proofs (section 4.2).
const TYP: &str = "dpop+jwt";
/// A proof is taken so long after its issue, and so long before by clocks that differ, in seconds.
const AGE_MAX_S: i64 = 90;
const AHEAD_MAX_S: i64 = 30;
/// Longest name of a proof.
const JTI_MAX: usize = 256;
/// A nonce counts in its own minute and so many after it.
const NONCE_MINUTES: i64 = 5;
const MINUTE_MS: i64 = 60_000;
const NONCE_MAC_BYTES: usize = 16;

/// The service's own address, as clients write it: what proofs must name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

/// Why a text is not the address of the service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an http or https URL with a host, and without query, fragment and user")]
pub struct PublicUrlError(String);

/// Checks proofs for one service.
pub(super) struct Dpop {
    url: PublicUrl,
    algorithms: BTreeSet<Algorithm>,
    secret: InstallationSecret,
}

/// What a proof has to be about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    /// The method of the request.
    pub(super) method: &'a str,
    /// Its path, as it came.
    pub(super) path: &'a str,
    /// The SHA-256 of the token.
    pub(super) token: &'a Digest,
    /// The thumbprint of the key that the token is bound to.
    pub(super) key: &'a str,
}

/// A proof that is good, but for its nonce and unless it was seen before.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proof {
    /// What names it: over the key and the proof's own `jti`.
    pub(super) digest: Digest,
    /// When it says it was issued.
    pub(super) issued_at: Timestamp,
    nonce: Option<String>,
}

/// How a proof's nonce stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NonceState {
    /// The one of this minute.
    Current,
    /// Still taken; a newer one comes with the answer.
    Ageing,
    /// None of ours, or too old.
    Wanted,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: i64,
    ath: String,
    #[serde(default)]
    nonce: Option<String>,
}

impl Dpop {
    /// For the service at `url`; nonces are made under a secret that all its processes share.
    pub(super) fn new(
        url: PublicUrl,
        algorithms: impl IntoIterator<Item = Algorithm>,
        secret: InstallationSecret,
    ) -> Self {
        Self {
            url,
            algorithms: algorithms.into_iter().collect(),
            secret,
        }
    }

    /// Checks everything of a proof that the ledger is not needed for (section 4.3).
    pub(super) fn check(
        &self,
        text: &str,
        expected: Expected<'_>,
        now: Timestamp,
    ) -> Result<Proof, &'static str> {
        let jws = Jws::split(text, TYP)?;
        let jwk = jws.header.get("jwk").and_then(Value::as_object);
        let key = VerifyingKey::from_jwk(jwk.ok_or("the proof brings no key")?)?
            .filter(|key| self.algorithms.contains(&key.algorithm()))
            .ok_or("the proof's key is of a kind that is not taken")?;
        jws.verify(&key)?;
        if key.thumbprint() != expected.key {
            return Err("the token is bound to another key than the proof's");
        }
        let claims: Claims = serde_json::from_slice(&jws.claims)
            .map_err(|_| "a claim of the proof is missing or of the wrong type")?;
        if claims.htm != expected.method || !self.url.is(&claims.htu, expected.path) {
            return Err("the proof is about another request");
        }
        if claims.ath != URL_SAFE_NO_PAD.encode(expected.token.as_bytes()) {
            return Err("the proof is about another token");
        }
        if !(1..=JTI_MAX).contains(&claims.jti.len()) {
            return Err("the proof's name is empty or too long");
        }
        let now_s = now.as_millis().div_euclid(1_000);
        if !(now_s - AGE_MAX_S..=now_s + AHEAD_MAX_S).contains(&claims.iat) {
            return Err("the proof is too old, or of a time to come");
        }
        Ok(Proof {
            digest: Digest::of(format!("{}.{}", expected.key, claims.jti).as_bytes()),
            issued_at: Timestamp::from_micros(claims.iat.saturating_mul(1_000_000)),
            nonce: claims.nonce,
        })
    }

    /// What a client without a good credential may try.
    pub(super) fn challenge(&self) -> HeaderValue {
        let names: Vec<&str> = self.algorithms.iter().map(|a| a.as_str()).collect();
        HeaderValue::from_str(&format!("Bearer, DPoP algs=\"{}\"", names.join(" ")))
            .expect("names of algorithms can stand in a header")
    }

    /// Whether a proof carries a nonce of ours that still counts.
    pub(super) fn nonce_state(&self, proof: &Proof, now: Timestamp) -> NonceState {
        let minute = minute(now);
        let made = proof.nonce.as_deref().and_then(|nonce| self.made_at(nonce));
        match made.map(|made| minute - made) {
            // Another process's clock may be a minute ahead of ours.
            Some(-1 | 0) => NonceState::Current,
            Some(1..=NONCE_MINUTES) => NonceState::Ageing,
            _ => NonceState::Wanted,
        }
    }

    /// The nonce of this minute, for the header `DPoP-Nonce`.
    pub(super) fn nonce(&self, now: Timestamp) -> HeaderValue {
        let nonce = self.nonce_of(minute(now));
        HeaderValue::from_str(&nonce).expect("base64url can stand in a header")
    }

    fn nonce_of(&self, minute: i64) -> String {
        let minute = minute.to_be_bytes();
        let mac = self.secret.mac(Purpose::DpopNonce, &[&minute]);
        URL_SAFE_NO_PAD.encode([&minute[..], &mac[..NONCE_MAC_BYTES]].concat())
    }

    /// The minute of a nonce that we made.
    fn made_at(&self, nonce: &str) -> Option<i64> {
        let bytes = URL_SAFE_NO_PAD.decode(nonce).ok()?;
        let minute = i64::from_be_bytes(*bytes.first_chunk()?);
        let ours = self.nonce_of(minute);
        bool::from(ours.as_bytes().ct_eq(nonce.as_bytes())).then_some(minute)
    }
}

impl fmt::Debug for Dpop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dpop({})", self.url.0)
    }
}

impl PublicUrl {
    /// Whether `htu` names this path of the service. Query and fragment do not count (section 4.2).
    fn is(&self, htu: &str, path: &str) -> bool {
        let htu = htu.split(['?', '#']).next().unwrap_or_default();
        let Ok((origin, rest)) = origin_and_path(htu) else {
            return false;
        };
        let named = format!("{origin}{rest}");
        named.strip_prefix(self.0.as_str()) == Some(path)
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || PublicUrlError(text.to_owned());
        if text.contains(['?', '#', '@', ' ']) {
            return Err(refuse());
        }
        let (origin, path) = origin_and_path(text).map_err(|()| refuse())?;
        Ok(Self(format!("{origin}{}", path.trim_end_matches('/'))))
    }
}

/// Scheme and host in lower case without the usual port, and what follows.
fn origin_and_path(url: &str) -> Result<(String, &str), ()> {
    let (scheme, rest) = url.split_once("://").ok_or(())?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme = scheme.to_ascii_lowercase();
    let port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return Err(()),
    };
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix(port).unwrap_or(&host);
    if host.is_empty() {
        return Err(());
    }
    Ok((format!("{scheme}://{host}"), path))
}

fn minute(now: Timestamp) -> i64 {
    now.as_millis().div_euclid(MINUTE_MS)
}

#[cfg(test)]
mod tests;
