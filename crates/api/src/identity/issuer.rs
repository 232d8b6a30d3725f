//! Makes tokens: for `dev`, `demo`, `token mint` and tests. A production installation may use any
//! issuer whose key it is given.

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jobengine_domain::caller::Scope;
use jobengine_domain::dsse::{KeyError, PublicKey, SigningKey};
use jobengine_domain::id::{ProjectId, TenantId};
use serde::Serialize;
use uuid::Uuid;

use super::authenticator::Authenticator;
use super::claims::{Audience, Claims, Header, LIFETIME_MAX_S, TYP};
use super::key::Algorithm;
use crate::clock;

/// An issuer of its own, with one Ed25519 key.
pub struct DevIssuer {
    issuer: String,
    audience: String,
    pair: Ed25519KeyPair,
    public: PublicKey,
}

/// Whom a token is for, and what it allows.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// The principal.
    pub subject: String,
    /// Whose rows.
    pub tenant: TenantId,
    /// The project, if the token is bound to one.
    pub project: Option<ProjectId>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// How long it holds, in seconds: at most an hour.
    pub ttl_s: u32,
}

/// Why a token is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// A life of nothing, or of more than an hour.
    #[error("a token holds for 1 to {LIFETIME_MAX_S} seconds, not {0}")]
    Lifetime(u32),
}

impl DevIssuer {
    /// From the 32 secret bytes of an Ed25519 key.
    ///
    /// # Errors
    /// [`KeyError`] on another length.
    pub fn from_seed(
        issuer: impl Into<String>,
        audience: impl Into<String>,
        seed: &[u8],
    ) -> Result<Self, KeyError> {
        let public = SigningKey::from_seed(seed)?.public();
        Ok(Self {
            issuer: issuer.into(),
            audience: audience.into(),
            pair: Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError)?,
            public,
        })
    }

    /// The half of the key that verifies.
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// Believes the tokens of this issuer.
    pub fn authenticator(&self) -> Authenticator {
        Authenticator::new(&*self.issuer, &*self.audience, [self.public])
    }

    /// Makes a token that holds from now on.
    ///
    /// # Errors
    /// [`MintError`].
    pub fn mint(&self, request: &TokenRequest) -> Result<String, MintError> {
        let now = clock::wall();
        let ttl = i64::from(request.ttl_s);
        if !(1..=LIFETIME_MAX_S).contains(&ttl) {
            return Err(MintError::Lifetime(request.ttl_s));
        }
        let iat = now.as_millis() / 1_000;
        let scopes: Vec<&str> = request.scopes.iter().map(|scope| scope.as_str()).collect();
        Ok(self.sign(
            &Header {
                typ: TYP,
                alg: Algorithm::EdDsa.as_str(),
                kid: &Authenticator::kid(&self.public),
            },
            &Claims {
                iss: self.issuer.clone(),
                aud: Audience::One(self.audience.clone()),
                exp: iat + ttl,
                iat,
                nbf: None,
                sub: request.subject.clone(),
                client_id: "jobengine".to_owned(),
                jti: jobengine_store::draw::<Uuid>(now).to_string(),
                tenant: request.tenant,
                project: request.project,
                scope: scopes.join(" "),
                cnf: None,
            },
        ))
    }

    /// A compact JWS over a header and claims (RFC 7515 section 7.1).
    pub(super) fn sign(&self, header: &impl Serialize, claims: &impl Serialize) -> String {
        let part = |json| URL_SAFE_NO_PAD.encode::<Vec<u8>>(json);
        let header = serde_json::to_vec(header).expect("a header is plain JSON");
        let claims = serde_json::to_vec(claims).expect("claims are plain JSON");
        self.sign_text(&format!("{}.{}", part(header), part(claims)))
    }

    /// Signs what stands before the second dot.
    pub(super) fn sign_text(&self, signed: &str) -> String {
        let signature = self.pair.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl std::fmt::Debug for DevIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DevIssuer")
            .field("issuer", &self.issuer)
            .field("key", &Authenticator::kid(&self.public))
            .finish_non_exhaustive()
    }
}
