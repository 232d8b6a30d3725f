//! Who sends a request: a token of a trusted issuer, bound to a key or not, or a service API key.
//!
//! Every failure gets the same answer. The reason stands in the log alone, under a fingerprint of
//! what was shown, and the log cannot be flooded.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use jobengine_domain::digest::Digest;
use jobengine_domain::id::{ApiKeyId, ProjectId, TenantId};
use jobengine_store::secret::InstallationSecret;
use jobengine_store::{Store, StoreError};

use super::api_key::{ApiKeyMaker, ApiKeys, is_api_key};
use super::authenticator::{Authenticator, Refused, Verified, fingerprint};
use super::caller::{Caller, CredentialKind, Who};
use super::dpop::{Dpop, Expected, NonceState, PublicUrl};
use super::existence::Existence;
use super::key::Algorithm;
use super::revocations::Revocations;
use super::throttle::Throttle;
use crate::clock::Now;
use crate::line::{Line, Lines};
use crate::problem::{Code, Problem};

/// Where proofs stand, and the nonce for the next one.
const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
/// Refusals in the log within a minute; the rest of them are only counted.
const LOGGED_MAX: u32 = 100;
/// Seconds after which an issuer's keys may be there again: it is asked that often.
const KEYS_AGAIN_S: u32 = 10;

/// Says who sends a request, and whether what made a caller still holds.
#[derive(Debug)]
pub(crate) struct Identity {
    store: Store,
    tokens: Authenticator,
    keys: ApiKeys,
    revocations: Revocations,
    existence: Existence,
    dpop: Option<Dpop>,
    throttle: Throttle,
    refusals: Lines,
    secret: InstallationSecret,
}

/// A request, as far as it says who sends it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Presented<'a> {
    /// Its headers.
    pub(crate) headers: &'a HeaderMap,
    /// Its method.
    pub(crate) method: &'a Method,
    /// Its path, as it came.
    pub(crate) path: &'a str,
    /// From where.
    pub(crate) remote: IpAddr,
}

/// A caller, and what the answer has to carry.
#[derive(Debug)]
pub(crate) struct Identified {
    /// Who it is.
    pub(crate) caller: Caller,
    /// The nonce for the client's next proofs, when a newer one is due.
    pub(crate) nonce: Option<HeaderValue>,
}

/// What stands in `Authorization`.
struct Shown<'a> {
    scheme: Scheme,
    credential: &'a str,
    digest: Digest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Dpop,
}

/// Why nobody is made a caller.
enum Doubt {
    /// What was shown is not good.
    Shown(&'static str),
    /// We cannot tell, or want more: the answer says so.
    Answer(Problem),
}

impl Identity {
    /// Over a ledger. Proofs of possession are taken where the service knows its own address.
    pub(crate) fn new(
        store: Store,
        tokens: Authenticator,
        secret: InstallationSecret,
        url: Option<PublicUrl>,
    ) -> Self {
        let dpop = |url| Dpop::new(url, Algorithm::USUAL, secret.clone());
        Self {
            tokens,
            keys: ApiKeys::new(store.clone(), secret.clone()),
            revocations: Revocations::new(store.clone()),
            existence: Existence::new(store.clone()),
            dpop: url.map(dpop),
            throttle: Throttle::default(),
            refusals: Lines::new(LOGGED_MAX),
            store,
            secret,
        }
    }

    /// Makes new API keys.
    pub(crate) const fn api_key_maker(&self) -> &ApiKeyMaker {
        self.keys.maker()
    }

    /// Who sends this request.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` whatever is wrong; `DPOP_NONCE_REQUIRED` when a proof is good but for its
    /// nonce; `RATE_LIMITED` after many failures from one address; `KEYS_UNAVAILABLE` and
    /// `DATABASE_UNAVAILABLE` when we cannot tell.
    pub(crate) async fn identify(
        &self,
        presented: Presented<'_>,
        now: Now,
    ) -> Result<Identified, Problem> {
        let mut headers = presented.headers.get_all(AUTHORIZATION).iter();
        let Some(header) = headers.next() else {
            // Nothing was tried, so nothing failed.
            return Err(self.unauthenticated());
        };
        let shown = Shown::read(header).filter(|_| headers.next().is_none());
        if let Some(shown) = &shown
            && self.has_refused(shown, presented.remote, now)
        {
            return Err(self.unauthenticated());
        }
        // Whoever was believed before is not made to wait for the failures of a neighbour.
        if let Some(wait) = self.throttle.wait(presented.remote, now.monotonic)
            && !shown.as_ref().is_some_and(|shown| self.remembers(shown))
        {
            return Err(rate_limited(wait));
        }
        let found = match &shown {
            Some(shown) => self.believe(shown, presented, now).await,
            None => Err(Doubt::Shown("the header holds no one credential")),
        };
        found.map_err(|doubt| match doubt {
            Doubt::Answer(problem) => problem,
            Doubt::Shown(reason) => {
                self.refused(shown.as_ref(), presented.remote, reason, now);
                self.unauthenticated()
            }
        })
    }

    /// Whether the same was found good before.
    fn remembers(&self, shown: &Shown<'_>) -> bool {
        self.tokens.remembers(&shown.digest) || self.keys.remembers(&shown.digest)
    }

    /// Whether the same was refused a moment ago. With a proof of possession the fault may lie in the proof, and
    /// the next one be good.
    fn has_refused(&self, shown: &Shown<'_>, remote: IpAddr, now: Now) -> bool {
        shown.scheme == Scheme::Bearer
            && self
                .throttle
                .has_refused(remote, shown.digest, now.monotonic)
    }

    /// Whether what made somebody a caller still holds: for streams, every 30 seconds and when it
    /// expires.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` when it has expired or was taken back, or the project that it is for is gone;
    /// `DATABASE_UNAVAILABLE` when that cannot be told.
    pub(crate) async fn still_valid(&self, caller: &Caller, now: Now) -> Result<(), Problem> {
        let holds = now.wall < caller.shown().expires_at
            && match caller.shown().kind {
                CredentialKind::Token { .. } => {
                    !self.revocations.refuse(caller.who(), now.monotonic).await?
                }
                CredentialKind::Key(id) => self.keys.stands(caller.tenant, id, now).await?,
            }
            && self.existence.confirms(caller.who(), now.monotonic).await?;
        if holds {
            return Ok(());
        }
        Err(self.unauthenticated())
    }

    /// Sees changes of a tenant's revocations that this process has just made.
    pub(crate) fn revoked(&self, tenant: TenantId) {
        self.revocations.forget(tenant);
    }

    /// Sees that this process has just removed a project.
    pub(crate) fn project_removed(&self, tenant: TenantId, project: ProjectId) {
        self.existence.forget(tenant, project);
    }

    /// Sees a change of an API key that this process has just made.
    pub(crate) fn key_changed(&self, tenant: TenantId, id: ApiKeyId) {
        self.keys.forget(tenant, id);
    }

    async fn believe(
        &self,
        shown: &Shown<'_>,
        presented: Presented<'_>,
        now: Now,
    ) -> Result<Identified, Doubt> {
        if is_api_key(shown.credential) {
            if shown.scheme != Scheme::Bearer {
                return Err(Doubt::Shown("a key is shown as a bearer credential"));
            }
            let found = self.keys.verify(shown.credential, shown.digest, now);
            let who = found.await?.map_err(Doubt::Shown)?;
            return Ok(Identified {
                caller: Caller::new(who, self.secret.clone()),
                nonce: None,
            });
        }
        let Verified { who, bound_to } = self
            .tokens
            .verify(shown.credential, shown.digest, now)
            .await?;
        if self.revocations.refuse(&who, now.monotonic).await? {
            return Err(Doubt::Shown("the token was taken back"));
        }
        if !self.existence.confirms(&who, now.monotonic).await? {
            return Err(Doubt::Shown("its tenant or project does not exist here"));
        }
        let nonce = match (shown.scheme, bound_to) {
            (Scheme::Bearer, None) => None,
            (Scheme::Dpop, Some(key)) => self.possess(&who, &key, shown, presented, now).await?,
            (Scheme::Bearer, Some(_)) => {
                return Err(Doubt::Shown("a bound token came without proof"));
            }
            (Scheme::Dpop, None) => return Err(Doubt::Shown("the token is bound to no key")),
        };
        Ok(Identified {
            caller: Caller::new(who, self.secret.clone()),
            nonce,
        })
    }

    /// Checks that the sender holds the key the token is bound to; the next nonce, if one is due.
    async fn possess(
        &self,
        who: &Who,
        key: &str,
        shown: &Shown<'_>,
        presented: Presented<'_>,
        now: Now,
    ) -> Result<Option<HeaderValue>, Doubt> {
        let dpop = self.dpop.as_ref().ok_or("no proofs are taken here")?;
        let mut proofs = presented.headers.get_all(DPOP).iter();
        let (Some(proof), None) = (proofs.next(), proofs.next()) else {
            return Err(Doubt::Shown("the token came without exactly one proof"));
        };
        let expected = Expected {
            method: presented.method.as_str(),
            path: presented.path,
            token: &shown.digest,
            key,
        };
        let proof = proof.to_str().map_err(|_| "the proof is no text")?;
        let proof = dpop.check(proof, expected, now.wall)?;
        let state = dpop.nonce_state(&proof, now.wall);
        if state == NonceState::Wanted {
            let challenge = HeaderValue::from_static("DPoP error=\"use_dpop_nonce\"");
            let problem = Problem::new(
                Code::DpopNonceRequired,
                "put the nonce of the header DPoP-Nonce into the proof",
            );
            return Err(Doubt::Answer(
                problem
                    .with_header(WWW_AUTHENTICATE, challenge)
                    .with_header(DPOP_NONCE, dpop.nonce(now.wall)),
            ));
        }
        let tx = self.store.begin(&who.principal).await?;
        let fresh = tx.dpop_proof_put(&proof.digest, proof.issued_at).await?;
        tx.commit().await?;
        if !fresh {
            return Err(Doubt::Shown("the proof was used before"));
        }
        Ok((state == NonceState::Ageing).then(|| dpop.nonce(now.wall)))
    }

    /// Counts a failure and writes it down.
    fn refused(&self, shown: Option<&Shown<'_>>, remote: IpAddr, reason: &'static str, now: Now) {
        let pause = self.throttle.failed(remote, now.monotonic);
        // What was good once may be so again: a revocation can be taken back.
        if let Some(shown) = shown.filter(|shown| !self.remembers(shown)) {
            self.throttle.refuse(remote, shown.digest, now.monotonic);
        }
        let omitted = match self.refusals.next(now.monotonic) {
            Line::Omit => return,
            Line::Write => 0,
            Line::WriteAfter(omitted) => omitted,
        };
        if omitted > 0 {
            tracing::warn!(omitted, "{omitted} refused credentials were not logged");
        }
        let fingerprint = shown.map(|shown| fingerprint(&shown.digest));
        tracing::info!(
            fingerprint,
            %remote,
            reason,
            paused_ms = pause.map(|pause| pause.as_millis()),
            "a credential was refused: {reason}"
        );
    }

    /// The one answer to everything that is not good.
    fn unauthenticated(&self) -> Problem {
        let problem = Problem::new(Code::Unauthenticated, "send a valid bearer token");
        match &self.dpop {
            None => problem,
            Some(dpop) => problem.with_header(WWW_AUTHENTICATE, dpop.challenge()),
        }
    }
}

impl<'a> Shown<'a> {
    fn read(header: &'a HeaderValue) -> Option<Self> {
        let (scheme, credential) = header.to_str().ok()?.split_once(' ')?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "bearer" => Scheme::Bearer,
            "dpop" => Scheme::Dpop,
            _ => return None,
        };
        Some(Self {
            scheme,
            credential,
            digest: Digest::of(credential.as_bytes()),
        })
    }
}

impl From<&'static str> for Doubt {
    fn from(reason: &'static str) -> Self {
        Self::Shown(reason)
    }
}

impl From<Refused> for Doubt {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Token(reason) => Self::Shown(reason),
            Refused::Keys => Self::Answer(
                Problem::new(
                    Code::KeysUnavailable,
                    "the keys of the token's issuer cannot be had at the moment",
                )
                .with_retry_after(KEYS_AGAIN_S),
            ),
        }
    }
}

impl From<Problem> for Doubt {
    fn from(problem: Problem) -> Self {
        Self::Answer(problem)
    }
}

impl From<StoreError> for Doubt {
    fn from(error: StoreError) -> Self {
        Self::Answer(error.into())
    }
}

fn rate_limited(wait: Duration) -> Problem {
    let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
    Problem::new(
        Code::RateLimited,
        "too many credentials from this address were refused",
    )
    .with_retry_after(seconds.saturating_add(1))
}
