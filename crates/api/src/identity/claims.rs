//! What stands in a token, strictly typed (RFC 7519, RFC 8725, RFC 9068).

use jobengine_domain::caller::{Caller, Scope};
use jobengine_domain::id::{ProjectId, TenantId};
use serde::{Deserialize, Deserializer, Serialize};

/// The type of our tokens (RFC 9068 section 2.1).
pub(super) const TYP: &str = "at+jwt";
/// Longest life of a token, in seconds.
pub(super) const LIFETIME_MAX_S: i64 = 3_600;
/// How far the clocks of issuer and service may be apart, in seconds.
pub(super) const LEEWAY_S: i64 = 30;

/// Every token that was issued by a moment has expired so long after it, in milliseconds.
pub(crate) const TOKEN_LIFE_MS: u64 = (LIFETIME_MAX_S + 2 * LEEWAY_S).cast_unsigned() * 1_000;
/// Longest name of a principal, a client or a token.
const NAME_MAX: usize = 256;
/// The principal of background passes: never somebody from outside.
const SYSTEM: &str = "system";
/// How the principals of API keys begin.
pub(crate) const SERVICE: &str = "service:";

/// 2000-01-01 and 2100-01-01, in seconds since 1970.
const YEARS: std::ops::Range<i64> = 946_684_800..4_102_444_800;

/// The header of a token that we make.
#[derive(Debug, Serialize)]
pub(super) struct Header<'a> {
    pub typ: &'a str,
    pub alg: &'a str,
    pub kid: &'a str,
}

/// The claims of an access token. Others are ignored.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub iss: String,
    pub aud: Audience,
    pub exp: i64,
    pub iat: i64,
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub nbf: Option<i64>,
    pub sub: String,
    pub client_id: String,
    pub jti: String,
    pub tenant: TenantId,
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub project: Option<ProjectId>,
    pub scope: String,
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub cnf: Option<Confirmation>,
}

/// The key that a token is bound to (RFC 7800). A binding of another kind, or a second one, is not
/// ours to check: such a token cannot be read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirmation {
    /// The thumbprint of the key that proofs are signed with (RFC 9449 section 6.1).
    pub jkt: String,
}

/// For whom a token is: one name, or a list of one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    List(Vec<String>),
}

/// A claim that may be absent, but not `null`.
fn present<'de, D, T>(json: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(json).map(Some)
}

impl Claims {
    pub(super) fn read(json: &[u8]) -> Result<Self, &'static str> {
        serde_json::from_slice(json).map_err(|_| "a claim is missing or of the wrong type")
    }

    /// Checks everything that does not depend on the time of day; the issuer is the one whose key it was.
    pub(super) fn check(&self, audience: &str) -> Result<(), &'static str> {
        let for_us = match &self.aud {
            Audience::One(name) => name == audience,
            Audience::List(names) => matches!(names.as_slice(), [name] if name == audience),
        };
        let named = |text: &str| {
            (1..=NAME_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
        };
        let times = [Some(self.exp), Some(self.iat), self.nbf];
        if !for_us {
            return Err("the audience is not ours");
        }
        if self.sub == SYSTEM || self.sub.starts_with(SERVICE) {
            return Err("the subject is one that only we name");
        }
        if ![&self.sub, &self.client_id, &self.jti]
            .into_iter()
            .all(|name| named(name))
        {
            return Err("a name is empty, too long or unprintable");
        }
        if !times.iter().flatten().all(|time| YEARS.contains(time)) {
            return Err("a time is outside of 2000 to 2100");
        }
        if !(1..=LIFETIME_MAX_S).contains(&(self.exp - self.iat)) {
            return Err("the lifetime is out of bounds");
        }
        Ok(())
    }

    /// From when to when the token holds, leeway included, in seconds since 1970.
    pub(super) fn window(&self) -> std::ops::Range<i64> {
        let from = self.nbf.map_or(self.iat, |nbf| nbf.max(self.iat));
        from - LEEWAY_S..self.exp + LEEWAY_S
    }

    /// Whom it makes the sender, and the key it is bound to. Scopes of other services are not ours
    /// to judge; they are left out.
    pub(super) fn caller(self, credential: String) -> (Caller, Option<String>) {
        let caller = Caller {
            tenant: self.tenant,
            project: self.project,
            scopes: self
                .scope
                .split(' ')
                .filter_map(|scope| scope.parse::<Scope>().ok())
                .collect(),
            subject: self.sub,
            credential,
        };
        (caller, self.cnf.map(|bound| bound.jkt))
    }
}
