//! Verifies access tokens of the issuers that this installation trusts.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jobengine_domain::digest::Digest;
use jobengine_domain::dsse::PublicKey;
use jobengine_domain::id::TenantId;
use jobengine_domain::time::Timestamp;

use super::caller::{Credential, Who};
use super::claims::{Claims, TYP};
use super::jwks::{Jwks, KeySourceError, KeysUnavailable};
use super::jws::Jws;
use super::key::{Algorithm, VerifyingKey};
use super::key_set::KeySet;
use crate::clock::Now;

/// Verified tokens that are remembered, so that a busy client's signature is not checked at every request.
const REMEMBERED_MAX: usize = 4_096;

/// Verifies the tokens of trusted issuers, each for its audience and under its own keys.
#[derive(Debug)]
pub struct Authenticator {
    issuers: Vec<TrustedIssuer>,
    known: Mutex<HashMap<Digest, Known>>,
}

/// An issuer whose tokens are believed.
#[derive(Debug)]
pub struct TrustedIssuer {
    issuer: String,
    audience: String,
    keys: KeySource,
    tenants: Option<BTreeSet<TenantId>>,
}

/// Where an issuer's keys come from.
#[derive(Debug)]
pub struct KeySource(Source);

#[derive(Debug)]
enum Source {
    Fixed(KeySet),
    Kept(Jwks),
}

/// A token that was found good.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    /// Whom it makes the sender.
    pub(super) who: Arc<Who>,
    /// The thumbprint of the key it is bound to: without a proof by that key it is nothing.
    pub(super) bound_to: Option<String>,
}

/// Why a token makes nobody a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The token's fault; the reason is for the log alone.
    Token(&'static str),
    /// The issuer's keys cannot be had.
    Keys,
}

/// A verified token, and what it was verified under.
#[derive(Debug, Clone)]
struct Known {
    verified: Verified,
    issuer: usize,
    kid: String,
    key: VerifyingKey,
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
        Self::trusting([TrustedIssuer::new(issuer, audience, KeySource::fixed(keys))])
    }

    /// Believes the tokens of these issuers.
    pub fn trusting(issuers: impl IntoIterator<Item = TrustedIssuer>) -> Self {
        Self {
            issuers: issuers.into_iter().collect(),
            known: Mutex::default(),
        }
    }

    /// The name under which tokens refer to a key that was given without one: the hex digits of its digest.
    pub fn kid(key: &PublicKey) -> String {
        Digest::of(key.as_bytes()).hex()
    }

    /// Whether this token was found good before: a look, without any cryptography.
    pub(super) fn remembers(&self, digest: &Digest) -> bool {
        self.known().contains_key(digest)
    }

    /// Verifies a token whose digest is `digest`.
    pub(super) async fn verify(
        &self,
        token: &str,
        digest: Digest,
        now: Now,
    ) -> Result<Verified, Refused> {
        let remembered = self.known().get(&digest).cloned();
        if let Some(known) = remembered {
            // A key that its issuer has withdrawn takes its tokens with it.
            let key = self.issuers[known.issuer]
                .keys
                .find(&known.kid, now)
                .await?;
            if key.as_ref() == Some(&known.key) && known.window.contains(&seconds(now.wall)) {
                return Ok(known.verified);
            }
            self.known().remove(&digest);
        }
        let known = self.check(token, digest, now).await?;
        let verified = known.verified.clone();
        self.remember(digest, known);
        Ok(verified)
    }

    async fn check(&self, token: &str, digest: Digest, now: Now) -> Result<Known, Refused> {
        let jws = Jws::split(token, TYP)?;
        let kid = jws.key_id()?;
        let claims = Claims::read(&jws.claims)?;
        // Believed only to find whose key to try: a name of one issuer is no name of another's key.
        let trusts = |trusted: &TrustedIssuer| trusted.issuer == claims.iss;
        let issuer = self.issuers.iter().position(trusts);
        let issuer = issuer.ok_or("the issuer is not ours")?;
        let trusted = &self.issuers[issuer];
        let key = trusted.keys.find(kid, now).await?;
        let key = key.ok_or("the key is not one of the issuer's")?;
        jws.verify(&key)?;
        claims.check(&trusted.audience)?;
        if let Some(tenants) = &trusted.tenants
            && !tenants.contains(&claims.tenant)
        {
            return Err(Refused::Token("the issuer does not speak for this tenant"));
        }
        let window = claims.window();
        if !window.contains(&seconds(now.wall)) {
            return Err(Refused::Token("the token does not hold at this time"));
        }
        let shown = Credential::token(&claims);
        let kid = kid.to_owned();
        let (principal, bound_to) = claims.caller(format!("jwt:{}", fingerprint(&digest)));
        Ok(Known {
            verified: Verified {
                who: Arc::new(Who { principal, shown }),
                bound_to,
            },
            issuer,
            kid,
            key,
            window,
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

impl TrustedIssuer {
    /// Believes tokens of `issuer` for `audience`, exactly so spelled, under these keys.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>, keys: KeySource) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            keys,
            tenants: None,
        }
    }

    /// Believes it for these tenants only: the issuer of one customer does not speak for another.
    #[must_use]
    pub fn for_tenants(mut self, tenants: impl IntoIterator<Item = TenantId>) -> Self {
        self.tenants = Some(tenants.into_iter().collect());
        self
    }
}

impl KeySource {
    /// Ed25519 keys that do not change, named by [`Authenticator::kid`].
    pub fn fixed(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        let named = |key: PublicKey| (Authenticator::kid(&key), VerifyingKey::from(&key));
        Self(Source::Fixed(keys.into_iter().map(named).collect()))
    }

    /// A JWK set behind a URL: asked for when first needed, every ten minutes, and when a token
    /// names a key that is not in it; believed for an hour at most while it cannot be had.
    ///
    /// # Errors
    /// [`KeySourceError`] when the URL is not https, nor http on this machine.
    pub fn url(
        url: &str,
        algorithms: impl IntoIterator<Item = Algorithm>,
    ) -> Result<Self, KeySourceError> {
        let jwks = Jwks::url(url, algorithms.into_iter().collect())?;
        Ok(Self(Source::Kept(jwks)))
    }

    /// A JWK set in a file, read again when it changes.
    pub fn file(path: PathBuf, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        let jwks = Jwks::file(path, algorithms.into_iter().collect());
        Self(Source::Kept(jwks))
    }

    async fn find(&self, kid: &str, now: Now) -> Result<Option<VerifyingKey>, Refused> {
        match &self.0 {
            Source::Fixed(set) => Ok(set.get(kid).cloned()),
            Source::Kept(jwks) => Ok(jwks.find(kid, now.monotonic).await?),
        }
    }
}

impl From<&'static str> for Refused {
    fn from(reason: &'static str) -> Self {
        Self::Token(reason)
    }
}

impl From<KeysUnavailable> for Refused {
    fn from(_: KeysUnavailable) -> Self {
        Self::Keys
    }
}

/// A credential as log and audit name it: the first eight hex digits of its digest, never itself.
pub(super) fn fingerprint(digest: &Digest) -> String {
    let mut text = digest.hex();
    text.truncate(8);
    text
}

fn seconds(time: Timestamp) -> i64 {
    time.as_millis().div_euclid(1_000)
}

#[cfg(test)]
mod tests;
