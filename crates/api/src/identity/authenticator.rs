//! Verifies bearer tokens: one answer for every failure, the reason only in the log.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jobengine_domain::caller::Caller;
use jobengine_domain::digest::Digest;
use jobengine_domain::dsse::PublicKey;
use jobengine_domain::time::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey};

use super::claims::{Claims, key_id};
use crate::json::check_shape;
use crate::problem::{Code, Problem};

/// Longest token, in bytes.
const TOKEN_MAX_BYTES: usize = 8 * 1024;
/// Verified tokens that are remembered, so that a busy client's signature is not checked at every request.
const REMEMBERED_MAX: usize = 4_096;

/// Verifies the tokens of one issuer for one audience, under a fixed set of Ed25519 keys.
#[derive(Debug)]
pub struct Authenticator {
    issuer: String,
    audience: String,
    keys: BTreeMap<String, DecodingKey>,
    known: Mutex<HashMap<Digest, Known>>,
}

/// A token whose signature and claims were found good.
#[derive(Debug, Clone)]
struct Known {
    caller: Arc<Caller>,
    /// When it holds, in seconds since 1970.
    window: Range<i64>,
}

impl Authenticator {
    /// Believes tokens that `issuer` signed with one of `keys` for `audience`.
    pub fn new(
        issuer: impl Into<String>,
        audience: impl Into<String>,
        keys: impl IntoIterator<Item = PublicKey>,
    ) -> Self {
        let keys = keys.into_iter();
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            keys: keys
                .map(|key| (Self::kid(&key), DecodingKey::from_ed_der(key.as_bytes())))
                .collect(),
            known: Mutex::new(HashMap::new()),
        }
    }

    /// The name under which tokens refer to a key: the hex digits of its digest.
    pub fn kid(key: &PublicKey) -> String {
        Digest::of(key.as_bytes()).hex()
    }

    /// Reads an `Authorization` header at `now`.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, whatever is wrong.
    pub(crate) fn authenticate(
        &self,
        authorization: Option<&HeaderValue>,
        now: Timestamp,
    ) -> Result<Arc<Caller>, Problem> {
        let refuse = || Problem::new(Code::Unauthenticated, "send a valid bearer token");
        let Some(token) = authorization.and_then(bearer) else {
            return Err(refuse());
        };
        let digest = Digest::of(token.as_bytes());
        let remembered = self.known().get(&digest).cloned();
        let known = match remembered {
            Some(known) => Ok(known),
            None => self.verify(token),
        };
        let seconds = now.as_millis() / 1_000;
        let held = known.and_then(|known| {
            if !known.window.contains(&seconds) {
                self.known().remove(&digest);
                return Err("the token does not hold at this time");
            }
            Ok(known)
        });
        match held {
            Ok(known) => {
                let caller = Arc::clone(&known.caller);
                self.remember(digest, known);
                Ok(caller)
            }
            Err(reason) => {
                let fingerprint = &digest.hex()[..8];
                tracing::info!(fingerprint, reason, "a token was refused: {reason}");
                Err(refuse())
            }
        }
    }

    fn verify(&self, token: &str) -> Result<Known, &'static str> {
        if token.len() > TOKEN_MAX_BYTES {
            return Err("the token is too long");
        }
        let mut parts = token.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("the token does not have three parts");
        };
        let kid = key_id(&decode(header)?)?;
        let key = self.keys.get(&kid).ok_or("the key is not one of ours")?;
        let signed = &token[..header.len() + 1 + claims.len()];
        let good =
            jsonwebtoken::crypto::verify(signature, signed.as_bytes(), key, Algorithm::EdDSA);
        if !good.unwrap_or(false) {
            return Err("the signature is not good");
        }
        let claims = Claims::read(&decode(claims)?)?;
        claims.check(&self.issuer, &self.audience)?;
        Ok(Known {
            window: claims.window(),
            caller: Arc::new(claims.caller(credential(token))),
        })
    }

    fn remember(&self, digest: Digest, known: Known) {
        let mut all = self.known();
        if all.len() >= REMEMBERED_MAX {
            // Cheaper than keeping an order: every token is verified again once.
            all.clear();
        }
        all.insert(digest, known);
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A token as audit rows name it: its fingerprint, never itself.
fn credential(token: &str) -> String {
    let mut credential = Digest::of(token.as_bytes()).hex();
    credential.truncate(8);
    credential.insert_str(0, "jwt:");
    credential
}

fn bearer(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// One part of a token: base64url without padding, and JSON that nobody can read in two ways.
fn decode(part: &str) -> Result<Vec<u8>, &'static str> {
    let json = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| "a part is not base64url")?;
    check_shape(&json).map_err(|_| "a part is not sound JSON")?;
    Ok(json)
}

#[cfg(test)]
mod tests;
