//! A compact JWS (RFC 7515 section 7.1), taken apart and not yet believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::key::VerifyingKey;
use crate::json::check_shape;

/// Longest token or proof, in bytes.
pub(super) const JWS_MAX_BYTES: usize = 8 * 1024;
/// Longest name of a key.
const KID_MAX: usize = 64;
/// Header parameters that could make a token choose its own key or meaning.
const FORBIDDEN: [&str; 10] = [
    "jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "enc", "zip", "cty",
];

/// Header, body and signature of a JWS.
pub(super) struct Jws<'a> {
    /// The header.
    pub(super) header: Map<String, Value>,
    /// The claims, JSON that nobody can read in two ways.
    pub(super) claims: Vec<u8>,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jws<'a> {
    /// Takes a text apart: three parts, a sound header of this type, sound claims.
    pub(super) fn split(text: &'a str, typ: &str) -> Result<Self, &'static str> {
        if text.len() > JWS_MAX_BYTES {
            return Err("it is too long");
        }
        let mut parts = text.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("it does not have three parts");
        };
        let signed = &text[..header.len() + 1 + claims.len()];
        let header: Map<String, Value> =
            serde_json::from_slice(&json(header)?).map_err(|_| "the header is no JSON object")?;
        if FORBIDDEN.iter().any(|name| header.contains_key(*name)) {
            return Err("the header holds a forbidden parameter");
        }
        if header.get("typ").and_then(Value::as_str) != Some(typ) {
            return Err("the type is another one");
        }
        let claims = json(claims)?;
        // Serde would take an array for claims that stand in their order.
        if !claims.trim_ascii_start().starts_with(b"{") {
            return Err("the claims are no JSON object");
        }
        Ok(Self {
            claims,
            signature: bytes(signature)?,
            header,
            signed,
        })
    }

    /// The name of its key: 1 to 64 characters that are harmless everywhere.
    pub(super) fn key_id(&self) -> Result<&str, &'static str> {
        if self.header.contains_key("jwk") {
            return Err("the header brings a key of its own");
        }
        self.header
            .get("kid")
            .and_then(Value::as_str)
            .filter(|kid| is_key_id(kid))
            .ok_or("the header names no key")
    }

    /// Whether it says the key's own algorithm and was signed with the key's other half.
    pub(super) fn verify(&self, key: &VerifyingKey) -> Result<(), &'static str> {
        let algorithm = self.header.get("alg").and_then(Value::as_str);
        if algorithm != Some(key.algorithm().as_str()) {
            return Err("the algorithm is not that of the key");
        }
        if !key.verifies(self.signed.as_bytes(), &self.signature) {
            return Err("the signature is not good");
        }
        Ok(())
    }
}

/// Whether a text can name a key.
pub(super) fn is_key_id(text: &str) -> bool {
    (1..=KID_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn bytes(part: &str) -> Result<Vec<u8>, &'static str> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| "a part is not base64url")
}

fn json(part: &str) -> Result<Vec<u8>, &'static str> {
    let json = bytes(part)?;
    check_shape(&json).map_err(|_| "a part is not sound JSON")?;
    Ok(json)
}
