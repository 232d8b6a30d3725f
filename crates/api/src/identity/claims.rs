//! What stands in a token, strictly typed (RFC 7519, RFC 8725, RFC 9068).

use std::collections::BTreeMap;

use jobengine_domain::caller::{Caller, Scope};
use jobengine_domain::id::{ProjectId, TenantId};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The type of our tokens (RFC 9068 section 2.1).
pub(super) const TYP: &str = "at+jwt";
/// The one algorithm of our keys.
pub(super) const ALG: &str = "EdDSA";
/// Longest life of a token, in seconds.
pub(super) const LIFETIME_MAX_S: i64 = 3_600;
/// How far the clocks of issuer and service may be apart, in seconds.
pub(super) const LEEWAY_S: i64 = 30;

/// Header parameters that could make the token choose its own key or meaning.
const FORBIDDEN: [&str; 9] = [
    "jku", "x5u", "x5c", "jwk", "crit", "b64", "enc", "zip", "cty",
];
/// Longest name of a key.
const KID_MAX: usize = 64;
/// Longest name of a principal, a client or a token.
const NAME_MAX: usize = 256;
/// 2000-01-01 and 2100-01-01, in seconds since 1970.
const YEARS: std::ops::Range<i64> = 946_684_800..4_102_444_800;

/// The header, as far as it is believed.
#[derive(Debug, Serialize)]
pub(super) struct Header<'a> {
    pub typ: &'a str,
    pub alg: &'a str,
    pub kid: &'a str,
}

/// The claims of an access token. Others are ignored, but `cnf` is refused: a token bound to a key
/// is not a bearer token.
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
    #[serde(default, deserialize_with = "present", skip_serializing)]
    pub cnf: Option<Value>,
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

/// Reads the key's name out of a header.
pub(super) fn key_id(json: &[u8]) -> Result<String, &'static str> {
    let header: BTreeMap<String, Value> =
        serde_json::from_slice(json).map_err(|_| "the header is not a JSON object")?;
    if FORBIDDEN.iter().any(|name| header.contains_key(*name)) {
        return Err("the header holds a forbidden parameter");
    }
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    if text("typ") != Some(TYP) {
        return Err("the type is not at+jwt");
    }
    if text("alg") != Some(ALG) {
        return Err("the algorithm is not that of our keys");
    }
    text("kid")
        .filter(|kid| (1..=KID_MAX).contains(&kid.len()))
        .filter(|kid| {
            kid.bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        })
        .map(str::to_owned)
        .ok_or("the header names no key")
}

impl Claims {
    pub(super) fn read(json: &[u8]) -> Result<Self, &'static str> {
        serde_json::from_slice(json).map_err(|_| "a claim is missing or of the wrong type")
    }

    /// Checks everything that does not depend on the time of day.
    pub(super) fn check(&self, issuer: &str, audience: &str) -> Result<(), &'static str> {
        let for_us = match &self.aud {
            Audience::One(name) => name == audience,
            Audience::List(names) => matches!(names.as_slice(), [name] if name == audience),
        };
        let named = |text: &str| {
            (1..=NAME_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
        };
        let times = [Some(self.exp), Some(self.iat), self.nbf];
        if self.iss != issuer {
            return Err("the issuer is not ours");
        }
        if !for_us {
            return Err("the audience is not ours");
        }
        if self.cnf.is_some() {
            return Err("the token is bound to a key");
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

    /// Scopes of other services are not ours to judge; they are left out.
    pub(super) fn caller(self, credential: String) -> Caller {
        Caller {
            tenant: self.tenant,
            project: self.project,
            scopes: self
                .scope
                .split(' ')
                .filter_map(|scope| scope.parse::<Scope>().ok())
                .collect(),
            subject: self.sub,
            credential,
        }
    }
}
